"""Pickles that want to run something, each read by the unpickler of benchmarks' files."""

import io
import pickle
import struct
from pathlib import Path

import pytest

from cole_core.errors import InputError
from cole_core.sources.unpickling import load_pickle, plain_values, torch_payload

MARK = "ran"


def call(module: str, name: str, argument: bytes) -> bytes:
    """module.name(argument), in protocol 0."""
    return f"c{module}\n{name}\n(".encode() + argument + b"tR."


def stack_call(module: str, name: str, argument: str) -> bytes:
    """The same in protocol 4, where a name may have dots."""

    def text(value: str) -> bytes:
        return b"\x8c" + bytes([len(value)]) + value.encode()

    return b"\x80\x04" + text(module) + text(name) + b"\x93" + text(argument) + b"\x85R."


ATTACKS = {
    "os.system": call("os", "system", b"Vtouch ran\n"),
    "posix.system": call("posix", "system", b"Vtouch ran\n"),
    "subprocess": call("subprocess", "check_output", b"(Vtouch\nVran\nl"),
    "eval": call("builtins", "eval", b"Vopen('ran', 'w')\n"),
    "eval of Python 2": call("__builtin__", "eval", b"Vopen('ran', 'w')\n"),
    "exec": call("builtins", "exec", b"Vopen('ran', 'w')\n"),
    "open": call("builtins", "open", b"Vran\nVw\n"),
    "import": call("builtins", "__import__", b"Vos\n"),
    "getattr": call("builtins", "getattr", b"cos\nsystem\nV__call__\n"),
    "another pickle": call("pickle", "loads", b"Vcos\\nsystem\\n(Vtouch ran\\ntR.\n"),
    "torch.load": call("torch", "load", b"Vran\n"),
    "numpy.load": call("numpy", "load", b"Vran\n"),
    "numpy's runstring": call("numpy.testing._private.utils", "runstring", b"Vopen('ran','w')\n(d"),
    "runpy": call("runpy", "run_path", b"Vran.py\n"),
    "a code object": call("types", "CodeType", b"I0\n"),
    "a function": call("types", "FunctionType", b"I0\n"),
    "a dotted name": stack_call("collections", "OrderedDict.fromkeys.__self__", "ran"),
    "a dotted name into a module": stack_call("numpy", "core.os.system", "touch ran"),
    "a name with a line break": stack_call("os\nposix", "system", "touch ran"),
    "a class by INST": b"(Vtouch ran\nios\nsystem\n.",
    "a class by OBJ": b"(cos\nsystem\nVtouch ran\no.",
    "a class by NEWOBJ": b"\x80\x02cos\nsystem\nVtouch ran\n\x85\x81.",
    "an extension": b"\x80\x02\x82\x01.",
    "a persistent id": b"Vtensor\nQ.",
    "a type that is none": call("numpy", "dtype", b"VO8\n"),
    "bytes that are no number": (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(Vf8\ntR" + b"Vab\n" + b"tR."
    ),
    "a state that is none": b"cnumpy\ndtype\n(Vf8\ntR(I1\ntb.",
    "a frame without an end": b"\x80\x04\x95" + struct.pack("<Q", 2**62),
    "a string without an end": b"\x80\x04\x8d" + struct.pack("<Q", 2**62),
    "a number without an end": b"\x8b" + struct.pack("<i", 2**30),
    "a memo far away": b"j" + struct.pack("<I", 2**31),
    "an empty stack": b"R.",
    "nothing": b"",
    "no pickle": b"PK\x03\x04",
    "an unknown protocol": b"\x80\xff.",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        load_pickle(io.BytesIO(ATTACKS[name]), plain_values(), "evil.pkl")
    assert "evil.pkl" in str(error.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"evil\.pth: (refused|not )"):
        torch_payload(io.BytesIO(ATTACKS[name]), plain_values(), "evil.pth")
    assert list(tmp_path.iterdir()) == []


def test_plain_values_are_read() -> None:
    import numpy as np

    value = {"a": [1, 2.5, None, True], "b": ("text", b"bytes"), "c": {1, 2}}
    for protocol in (0, 2, 4):
        content = io.BytesIO(pickle.dumps(value, protocol))
        assert load_pickle(content, plain_values(), "good.pkl") == value
    scalar = pickle.dumps([np.float64(93.5), np.int32(7)], 2)
    assert load_pickle(io.BytesIO(scalar), plain_values(), "good.pkl") == [93.5, 7]
