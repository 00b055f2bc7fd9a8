"""NAS-Bench-Graph (Qin et al., NeurIPS 2022): graph neural networks with cells of four nodes."""

from cole_core.spaces.nasbenchgraph.canonical import canonical_form, parse, representative
from cole_core.spaces.nasbenchgraph.cell import LINKS, NODES, OPERATIONS, SKIP, Cell, read
from cole_core.spaces.nasbenchgraph.space import NASBenchGraph

__all__ = [
    "LINKS",
    "NODES",
    "OPERATIONS",
    "SKIP",
    "Cell",
    "NASBenchGraph",
    "canonical_form",
    "parse",
    "read",
    "representative",
]
