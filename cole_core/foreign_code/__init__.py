"""Code that other people wrote, run in a process of its own, within limits.

The limits are for mistakes: a loop without end, an allocation without end, a crash. They are no
sandbox: code runs with the rights of whoever starts it, so it runs only where they name it.
"""

from cole_core.foreign_code.load import construct, find_class, load_module, own_files, run_module
from cole_core.foreign_code.runner import RunFailed, RunLimits, Runner

__all__ = [
    "RunFailed",
    "RunLimits",
    "Runner",
    "construct",
    "find_class",
    "load_module",
    "own_files",
    "run_module",
]
