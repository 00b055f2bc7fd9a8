"""The processes that this one has started, and those that they have."""

import contextlib

_TRACKER = "multiprocessing.resource_tracker"  # clears up after this process, and ends by itself


def kill_children() -> None:
    """Kills them."""
    import psutil  # not needed by a command that ends by itself

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended since
            if _TRACKER not in " ".join(child.cmdline()):
                child.kill()
