"""NAS-Bench-201 (Dong & Yang, ICLR 2020): cells of four nodes, one of five operations per edge."""

from cole_core.spaces.nasbench201.canonical import canonical_form, representative
from cole_core.spaces.nasbench201.cell import EDGES, OPERATIONS, Cell, parse
from cole_core.spaces.nasbench201.space import NASBench201, build, parameter_count

__all__ = [
    "EDGES",
    "OPERATIONS",
    "Cell",
    "NASBench201",
    "build",
    "canonical_form",
    "parameter_count",
    "parse",
    "representative",
]
