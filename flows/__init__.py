"""Prefect flows and the command line: thin, they read, call cole_core, and write."""

import os
import warnings

# Prefect is quiet unless asked otherwise, and sends nothing; it reads this when first imported.
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

# A command says in its own words that PREFECT_HOME cannot be used.
warnings.filterwarnings("ignore", message="Failed to create the Prefect home directory")
