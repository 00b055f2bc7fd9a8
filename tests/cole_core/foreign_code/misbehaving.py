"""Functions that a process of foreign code runs."""

import os
import subprocess
import sys
import time
from pathlib import Path

from cole_core.errors import InputError
from cole_core.foreign_code import construct, find_class, load_module


def add(left: int, right: int) -> tuple[int, int]:
    return left + right, os.getpid()


def fail(text: str) -> None:
    raise KeyError(text)


def refuse(text: str) -> None:
    raise InputError(text)


def leave() -> None:
    sys.exit(3)


def die() -> None:
    os._exit(7)


def hang() -> None:
    while True:
        pass


def hang_with_child(told: str) -> None:
    child = subprocess.Popen(["sleep", "600"])
    Path(told).write_text(str(child.pid))
    time.sleep(600)


def hoard() -> None:
    kept = []
    while True:
        kept.append(bytearray(2**24))


def hoard_tensors() -> None:
    import torch

    kept = []
    while True:
        kept.append(torch.ones(2**22))


def talk() -> str:
    print("spoken")
    os.write(1, b"written\n")
    os.write(2, b"shouted\n")
    return "done"


def an_object() -> object:
    return Odd()


def a_lambda() -> object:
    return lambda: None


class Odd:
    """Of a module that is not ours."""


def count_parameters(path: str, name: str, arguments: dict[str, object]) -> int:
    network = construct(find_class(load_module(path), name), arguments)
    return sum(each.numel() for each in network.parameters())


def read_values(paths: list[str]) -> list[int]:
    return [load_module(path).VALUE for path in paths]
