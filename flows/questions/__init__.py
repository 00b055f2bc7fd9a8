"""What people ask of a warehouse."""
