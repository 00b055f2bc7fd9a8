"""The only place that touches stored state: DuckDB catalog, LanceDB vectors, locks, recovery."""

from warehouse.warehouse import Warehouse

__all__ = ["Warehouse"]
