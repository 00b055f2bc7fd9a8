"""What people use from Python and from notebooks: `from cole import Warehouse`.

It stands above the flows, whose questions it asks; `warehouse.Warehouse`, below them, is the same
warehouse without them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cole.notebook import Warehouse

__all__ = ["Warehouse"]


def __getattr__(name: str) -> Any:
    """`Warehouse`, imported when it is asked for: `python -m cole` begins without it."""
    if name == "Warehouse":
        from cole.notebook import Warehouse

        return Warehouse
    raise AttributeError(f"module 'cole' has no attribute '{name}'")
