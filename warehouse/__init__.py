"""The only place that touches stored state: DuckDB catalog, LanceDB vectors, locks, recovery."""

from warehouse.warehouse import Pool, Target, Warehouse

__all__ = ["Pool", "Target", "Warehouse"]
