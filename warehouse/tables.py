"""The catalog's tables and what tells their rows apart."""

from collections.abc import Mapping

KEYS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run_id",),
    "architectures": ("architecture_id",),
    "codes": ("code_hash",),
    "members": ("architecture_id",),
    "normal_forms": ("architecture_id",),
    "texts": ("text_hash",),
    "renderings": ("architecture_id", "encoding", "context"),
    "specifications": ("spec_id",),
    "embeddings": ("spec_id", "text_hash"),
    "evaluations": (
        *("architecture_id", "dataset", "metric", "split", "epochs", "seed", "source"),
    ),
    "lists": ("space", "source", "place"),
    "trainings": ("architecture_id", "settings_id", "seed"),
    "trials": ("trial_id",),
    "heads": ("head_id",),
    "comparisons": ("comparison_id", "configuration_id", "n"),
    "searches": ("search_id",),
    "search_steps": ("search_id", "step"),
    "search_comparisons": ("comparison_id", "configuration_id", "threshold"),
    "watches": ("watch_id",),
    "search_regrets": ("comparison_id", "configuration_id", "evaluations"),
}
"""Every table of the schema `store` by the columns that identify a row."""
