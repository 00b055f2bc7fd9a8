"""How many threads the BLAS may use."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager[Any]:
    """Holds the BLAS to one thread.

    The matrices of a surrogate are small and its products many: threads that wait for each other
    cost more than they save, a factor of 15 to 30 on two cores that other processes use as well.
    """
    return _controller().limit(limits=1, user_api="blas")


def blas_threads() -> int:
    """How many threads the BLAS may use now: fewer where other processes have their share."""
    return max((each["num_threads"] for each in _controller().info()), default=1)


@cache
def _controller() -> ThreadpoolController:
    # Looking the libraries up takes milliseconds.
    return ThreadpoolController().select(user_api="blas")
