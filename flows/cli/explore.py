"""`cole ui`: the explorer."""

from typing import Annotated

from pydantic import Field

from flows.cli.options import HOME, InHome
from flows.explorer.server import serve
from flows.resolve.commands import EXPLORER_PORT


def ui(
    *,
    home: InHome = HOME,
    port: Annotated[int, Field(ge=0, le=65_535)] = EXPLORER_PORT,
) -> None:
    """Serves a page to explore the warehouse.

    It is there until it is interrupted: map, architectures, searches, comparisons, SQL and runs. It
    listens on this machine alone and changes nothing that is stored. Needs the extra `ui`.

    Args:
        port: Where the page is, on 127.0.0.1; 0 takes a free one.
    """
    serve(home, port, lambda page: print(f"Page: {page} (Ctrl-C ends it)", flush=True))
