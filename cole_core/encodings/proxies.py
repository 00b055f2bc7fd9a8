"""The encoding `proxies`: zero-cost proxies of a network as one row, and what it is called.

Computing them takes a network, so they are computed once for each canonical form and kept as
measured values of a source, as are those that people have already. `proxies:SOURCE` names the
source whose values are meant.
"""

from collections.abc import Mapping

import numpy as np

from cole_core.errors import InputError

PROXIES = "proxies"
"""The encoding."""

NOISE = "noise"
"""What the values are called to be of where networks are shown noise."""

COMPUTED = (
    *("parameters", "flops", "synflow", "naswot", "snip", "plain", "grad_norm", "l2_norm"),
    *("fisher", "jacov", "zen"),
)
"""What is computed here, in the order of the columns."""

COLUMNS = (*COMPUTED, "epe_nas", "grasp", "zico")
"""With what others compute besides."""

SIZES = frozenset(("parameters", "flops"))
"""Columns that tell no proxies by themselves: many a table has them."""

ALIASES = {"nwot": "naswot", "jacob_cov": "jacov", "logsynflow": "synflow", "zen_score": "zen"}
"""What others call them. Ranks alone count, so that a logarithm changes nothing."""

WORST = -1e8
"""In the place of what is no number: a network that no gradient passes stands below all others.
It is the value that NAS-Bench-Suite-Zero has there."""


def split_source(encoding: str) -> tuple[str, str | None]:
    """An encoding's name, and the source of `proxies:SOURCE`.

    Raises:
        InputError: The source is empty.
    """
    name, colon, source = encoding.partition(":")
    if name != PROXIES:
        return encoding, None
    if colon and not source:
        raise InputError(f"encoding '{encoding}': name the source of the proxies behind the colon")
    return name, source or None


def is_proxies(encoding: str) -> bool:
    """Whether an encoding's vectors are kept values of proxies."""
    return split_source(encoding)[0] == PROXIES


def proxy_vector(values: Mapping[str, float]) -> np.ndarray:
    """The row of a network.

    The inverse hyperbolic sine, which keeps the order, makes numbers of all sizes fit a float.

    Args:
        values: By the names of `COLUMNS` or `ALIASES`; one that is missing is no number.

    Returns:
        Array (len(COLUMNS),) of float32.
    """
    known = {ALIASES.get(name, name): value for name, value in values.items()}
    row = np.array([known.get(name, np.nan) for name in COLUMNS], dtype=float)
    return np.arcsinh(np.where(np.isfinite(row), row, WORST)).astype(np.float32)
