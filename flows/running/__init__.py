"""Prefect's server, runs, progress and clusters."""
