"""What a library says of a model that it cannot load or run, as one line."""

import contextlib
from collections.abc import Iterator

from cole_core.errors import InputError

_SHOWN = 200  # letters of what the library says


@contextlib.contextmanager
def told(name: str, what: str) -> Iterator[None]:
    """Says in one line what transformers and torch say of files that are no good.

    Args:
        name: What the person called the model.
        what: What cannot be done.

    Raises:
        InputError: Something within raised what these libraries raise there.
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
        remedy = "install that" if isinstance(error, ImportError) else "fetch it again"
        raise InputError(
            f"{name}: {what} ({type(error).__name__}: {words[:_SHOWN]}): {remedy}, or choose "
            "another model"
        ) from error
