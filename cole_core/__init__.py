"""The domain: pure functions and small classes. No Prefect, no database, no global state."""
