"""What several stages do: Prefect tasks that work on one shard."""
