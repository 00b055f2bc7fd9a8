"""What keeps a warehouse current."""
