"""The encodings of NAS-Bench-Graph, text and vector."""
