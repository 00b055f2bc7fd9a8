"""What other people published, and ours by the same protocols."""
