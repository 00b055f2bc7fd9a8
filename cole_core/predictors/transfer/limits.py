"""How much is read of an old task."""

LEAST = 20
"""Measured architectures that an old task needs to speak."""
MOST = 1000
"""Measured architectures that are read of one old task."""
BEST = 200
"""How many of those are its best ones, since a search asks what is best; the others are random."""
