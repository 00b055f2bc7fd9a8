"""`cole ui`: the explorer."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import Field

from flows.cli.options import HOME, InHome
from flows.explorer.server import PORT, serve


def ui(
    *,
    home: InHome = HOME,
    port: Annotated[int, Field(ge=1, le=65_535), Parameter()] = PORT,
) -> None:
    """Serves a page to explore the warehouse, until it is interrupted: map, architectures,
    searches, comparisons, SQL and runs.

    It listens on this machine alone and changes nothing that is stored. Needs the extra `ui`.

    Args:
        port: Where the page is, on 127.0.0.1.
    """
    serve(home, port, lambda page: print(f"Page: {page} (Ctrl-C ends it)", flush=True))
