"""What may be wrong with a warehouse, what that costs, and how it is put right."""

from warehouse.health.doctor import examine
from warehouse.health.finding import Finding

__all__ = ["Finding", "examine"]
