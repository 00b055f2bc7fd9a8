"""Names of flow runs on Prefect's page: what is done, to what: `embed SPACE · minilm`."""

from collections.abc import Callable, Mapping
from typing import Any


def run_name(*fields: str) -> Callable[[], str]:
    """What names the runs of a flow, after what is asked of each.

    Args:
        *fields: Of its request, the space first; a dot leads into a field. What a request leaves
            open is left out, and of a path the last part is told.
    """

    def name() -> str:
        from prefect.runtime import flow_run

        # As it was asked for: plain values, where Prefect's page or a schedule asked.
        request = flow_run.get_parameters()["request"]
        said = filter(None, (_said(request, field) for field in fields))
        return f"{flow_run.get_flow_name()} {' · '.join(said)}".strip()

    return name


def _said(request: Any, field: str) -> str:
    value = request
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name)
    return "" if value is None else str(value).rsplit("/", 1)[-1]
