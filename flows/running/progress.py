"""Progress: counts, rate and time left on standard error, and of long ones on Prefect's page."""

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from flows.running.consoles import Console
from flows.running.endings import ending
from flows.running.results import LongProgress


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="dim")


class _Bar(Progress):
    def stop(self) -> None:
        """Stops, silently where the command is to end: half a bar is not to stand above its line.

        Asking waits until the signal that has come in this moment has shut standard error.
        """
        ending()
        super().stop()


@contextlib.contextmanager
def track(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows how far a stage has come.

    Args:
        what: The stage and its unit ("embed · texts").
        total: How many there are; nothing is shown for none.

    Yields:
        A function to call with the number done since the last call.
    """
    console = Console(stderr=True)
    progress = _Bar(
        TextColumn("{task.description:<24}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=total == 0,
    )
    with progress:
        task = progress.add_task(what, total=total)
        tell = LongProgress(what, total)

        def advance(done: int) -> None:
            progress.advance(task, done)
            tell(done)

        yield advance
