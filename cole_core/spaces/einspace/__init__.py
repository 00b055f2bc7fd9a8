"""einspace (Ericsson et al., NeurIPS 2024): networks from a grammar, open-ended."""

from cole_core.spaces.einspace.space import Einspace

__all__ = ["Einspace"]
