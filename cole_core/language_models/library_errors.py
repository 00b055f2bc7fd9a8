"""Errors of the libraries that load and run a model, as one line."""

import contextlib
from collections.abc import Iterator

from cole_core.errors import InputError

_SHOWN = 200  # letters of what the library says
_NO_MEMORY = "DefaultCPUAllocator"  # PyTorch's, which raises a plain RuntimeError


@contextlib.contextmanager
def as_input_error(name: str, what: str) -> Iterator[None]:
    """Says in one line what transformers and torch say of files that are no good.

    Args:
        name: What the person called the model.
        what: What cannot be done.

    Raises:
        InputError: Something within raised what these libraries raise there.
        MemoryError: The CPU has no more memory, which is not the files' fault.
    """
    from huggingface_hub.errors import StrictDataclassError
    from torch import OutOfMemoryError

    try:
        yield
    except (InputError, OutOfMemoryError):  # said already; not the files' fault
        raise
    except (
        ArithmeticError,
        AttributeError,
        ImportError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        StrictDataclassError,
    ) as error:
        words = " ".join(str(error).split())
        if _NO_MEMORY in words:
            raise MemoryError(words) from error
        remedy = "install that" if isinstance(error, ImportError) else "fetch it again"
        raise InputError(
            f"{name}: {what} ({type(error).__name__}: {words[:_SHOWN]}): {remedy}, or choose "
            "another model"
        ) from error
