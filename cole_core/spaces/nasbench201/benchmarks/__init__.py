"""The measured accuracies of NAS-Bench-201's cells that are published."""
