"""The encodings of NAS-Bench-201, text and vector."""
