"""The published measurements of NAS-Bench-Graph's networks."""
