"""Pickles from elsewhere, read without running what they say.

A pickle may name any function for the reader to call. The unpickler here looks names up in a
table of stand-ins and nowhere else, so a file can build plain values and the few types its format
needs; any other name ends the reading.
"""

import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np

from cole_core.errors import InputError
from cole_core.garbage import uncollected

Admitted = Mapping[tuple[str, str], Callable[..., Any]]

# What the unpickler raises on bytes that are no well-formed pickle.
_MALFORMED = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    RecursionError,
)


def load_pickle(stream: IO[bytes], admitted: Admitted, source: str) -> Any:
    """Reads one pickle.

    Args:
        stream: Where the pickle begins; afterwards it stands behind it.
        admitted: (module, name) as written in the pickle → what stands in for it. Make the
            stand-ins anew for each file: a pickle can set attributes on them.
        source: The file's name, for messages.

    Raises:
        InputError: The pickle asks for another name, or is malformed.
    """
    try:
        with uncollected():
            return _Unpickler(stream, admitted, source).load()
    except InputError:
        raise
    except _MALFORMED as error:
        raise InputError(
            f"{source}: not readable as a pickle ({error or type(error).__name__}); "
            "the file is damaged or of another format: download it again"
        ) from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: IO[bytes], admitted: Admitted, source: str) -> None:
        super().__init__(stream)
        self._admitted = admitted
        self._source = source

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return self._admitted[module, name]
        except KeyError:
            raise self._refusal(f"{module}.{name}") from None

    def persistent_load(self, pid: object) -> None:
        raise self._refusal("a tensor")

    def _refusal(self, wish: str) -> InputError:
        return InputError(
            f"{self._source}: refused, because it asks for {wish}, which a file of accuracies "
            "does not need; use the official file without weights, or a CSV or Parquet table"
        )


def torch_payload(stream: IO[bytes], admitted: Admitted, source: str) -> Any:
    """The object in a file that `torch.save` wrote, in the zip format or the one before 1.6.

    The official file is of 2020 and holds numpy scalars, which `torch.load(weights_only=True)`
    does not admit; its unpickler is also written in Python, slow for gigabytes.

    Raises:
        InputError: The file asks for what is not admitted, or is not of `torch.save`.
    """
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            entries = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if len(entries) != 1:
                raise InputError(f"{source}: a zip file, but not one that torch.save wrote")
            with archive.open(entries[0]) as payload:
                return load_pickle(payload, admitted, source)
    stream.seek(0)
    # The old format is a row of pickles: a magic number, a version, the writer's word sizes, then
    # the object (and after it the tensors' storages, of which a file of accuracies has none).
    if load_pickle(stream, admitted, source) != 0x1950A86A20F9469CFC6C:
        raise InputError(f"{source}: not a file that torch.save wrote; download it again")
    for _ in range(2):
        load_pickle(stream, admitted, source)
    return load_pickle(stream, admitted, source)


def plain_values() -> dict[tuple[str, str], Callable[..., Any]]:
    """Stand-ins for what files of plain values and numpy scalars name, made anew.

    Sets and ordered dictionaries are the real ones (nothing in them runs a file's code); numpy's
    scalars and their types are read by inert substitutes; `_codecs.encode` is how protocol 2,
    which `torch.save` writes, spells bytes.
    """

    class Dtype:
        def __init__(self, code: str, *_: object) -> None:
            if not re.fullmatch(r"[fiu][1248]|b1", code):
                raise ValueError(f"a numpy value of type {code!r}")
            self.code = code
            self.order = "="

        def __setstate__(self, state: tuple[Any, ...]) -> None:
            if state[1] in ("<", ">"):
                self.order = state[1]

    def scalar(dtype: Any, content: bytes) -> Any:
        return np.frombuffer(content, dtype=dtype.order + dtype.code)[0].item()

    def encode(text: str, _: str) -> bytes:
        return text.encode("latin1")

    return {
        ("collections", "OrderedDict"): OrderedDict,
        ("builtins", "set"): set,
        ("__builtin__", "set"): set,
        ("_codecs", "encode"): encode,
        ("numpy", "dtype"): Dtype,
        ("numpy.core.multiarray", "scalar"): scalar,
        ("numpy._core.multiarray", "scalar"): scalar,
    }
