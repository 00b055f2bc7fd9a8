"""What could not be done of many things: a few are named, all are counted."""

import sys
from collections.abc import Sequence

NAMED = 3
"""How many are named."""


def report_failures(failed: Sequence[str]) -> None:
    """Says on standard error what was skipped and why, a line each."""
    for error in failed[:NAMED]:
        print(f"cole: skipped {error}", file=sys.stderr)
    if len(failed) > NAMED:
        print(f"cole: and {len(failed) - NAMED} more", file=sys.stderr)
