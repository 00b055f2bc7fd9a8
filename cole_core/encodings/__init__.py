"""Architecture to text or vector: the contract, and what serves every space."""

from cole_core.encodings.base import Encoding, RenderingError, TextEncoding, VectorEncoding

__all__ = ["Encoding", "RenderingError", "TextEncoding", "VectorEncoding"]
