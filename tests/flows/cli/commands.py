"""The commands of the command line, for tests that are about all of them."""

from collections.abc import Iterator

from cyclopts import App


def command_paths(app: App) -> Iterator[tuple[str, ...]]:
    """The words of each command that does something, as ("watch", "add")."""
    for name in app:
        if name.startswith("-"):
            continue
        below = list(command_paths(app[name]))
        yield from ((name, *path) for path in below) if below else [(name,)]
