"""What went wrong below, in the words of the operating system."""

import errno
import os


def raise_full_disk(error: Exception) -> None:
    """Raises what the operating system said, where a library made its own error of it.

    Raises:
        OSError: The disk is full (errno ENOSPC).
    """
    if "No space left on device" in str(error):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
