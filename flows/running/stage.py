"""A stage's way from a request to a run: checked once, then run where Prefect sees it.

A stage is a flow of one argument, its request, and a function that makes its plan: the request with
every name resolved and every check made. Who asks for a run makes the plan first, so that bad input
is told before a server is started; the flow takes that plan, and makes it only where nobody did, as
under a schedule.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from prefect import Flow

from cole_core.garbage import uncollected
from flows.running.server import LocalServer

Request = TypeVar("Request")
Plan = TypeVar("Plan")
Summary = dict[str, Any]

_made: ContextVar[tuple[Any, Any, Any] | None] = ContextVar("made", default=None)


def run_stage(
    flow: "Flow[[Request], Summary]",
    plan: Callable[[Request], Any],
    request: Request,
    imports: Sequence[str] = (),
) -> Summary:
    """Checks a request and runs its flow, on a server of its own unless one is configured.

    Args:
        flow: The stage's flow.
        plan: Makes its plan.
        request: What is asked for.
        imports: Modules that the flow will need and its plan does not: imported while the server
            starts.

    Raises:
        InputError: As `plan`; nothing has run then.
    """
    made = plan(request)
    with LocalServer() as server:
        with uncollected():
            for name in imports:
                importlib.import_module(name)
        with server.ready(), _handed(plan, request, made):
            return flow(request)


def planned(plan: Callable[[Request], Plan], request: Request) -> Plan:
    """The plan of a request: the one that `run_stage` made of it, or made now."""
    handed = _made.get()
    if handed is not None and handed[0] is plan and handed[1] == request:
        _made.set(None)  # once: what was there then need not be there at the next run
        return handed[2]
    return plan(request)


@contextlib.contextmanager
def _handed(plan: Any, request: Any, made: Any) -> Iterator[None]:
    token = _made.set((plan, request, made))
    try:
        yield
    finally:
        _made.reset(token)
