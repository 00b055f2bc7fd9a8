"""The encodings of einspace, text and vector."""
