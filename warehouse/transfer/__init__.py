"""A warehouse on the move: Parquet out and in, and backups."""
