"""The report: one HTML file that holds everything it shows."""

from flows.report.data import (
    BestCell,
    Comparison,
    EmbeddingMap,
    Predictions,
    ReportData,
    SearchComparison,
    Specification,
)
from flows.report.page import render_report
from flows.report.summaries import principal_plane

__all__ = [
    "BestCell",
    "Comparison",
    "EmbeddingMap",
    "Predictions",
    "ReportData",
    "SearchComparison",
    "Specification",
    "principal_plane",
    "render_report",
]
