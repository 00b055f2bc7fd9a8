"""What runs a member's code: tracing in a process of its own, and building where one already is."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cole_core.errors import InputError
from cole_core.foreign_code import RunFailed, Runner, construct, find_class, run_module
from cole_core.foreign_code.faults import Caught, one_line
from cole_core.foreign_code.task_arguments import TASK
from cole_core.spaces.corpus.members import Member
from cole_core.spaces.corpus.static import static_text

if TYPE_CHECKING:
    from torch import nn

    from cole_core.encodings.normal_form import NormalForm


def trace_member(runner: Runner, member: Member, folder: Path | None) -> NormalForm:
    """The normal form of a member.

    Args:
        runner: Where its code is run.
        member: The member.
        folder: Whose modules it can import.

    Raises:
        InputError: It cannot be made, or not within the limits; one line that names it.
    """
    try:
        return runner.call(_trace, member, folder)
    except RunFailed as error:
        raise InputError(
            f"{member.place}: {member.class_name} cannot be made, {error}: "
            "correct it, or leave --run out to take its source alone"
        ) from error
    except InputError as error:
        raise InputError(f"{member.place}: {error}") from error


def _trace(member: Member, folder: Path | None) -> NormalForm:
    """In the process of foreign code."""
    from cole_core.encodings.normal_form import normal_form

    make = _Making(_maker(member, folder, {}))
    form = normal_form(make, source=static_text(member))
    if make.error is not None:  # what cannot be made is no network, whatever its source says
        raise make.error
    return form


class _Making:
    """Makes a network, and remembers whether that went well the last time.

    Attributes:
        error: What was raised; None where nothing was.
    """

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        self._make = make
        self.error: BaseException | None = None

    def __call__(self) -> nn.Module:
        with Caught() as caught:
            made = self._make()
        self.error = caught.error
        if self.error is not None:
            raise self.error
        return made


def build_member(member: Member, task: Mapping[str, object]) -> nn.Module:
    """The network itself, in this process.

    Args:
        member: The member.
        task: What is known of the task: classes, channels, shape.

    Raises:
        InputError: The arguments do not fit.
        RuntimeError: Its code raises something, whatever that is.
    """
    made: nn.Module
    with Caught() as caught:
        made = _maker(member, None, task)()
    if isinstance(caught.error, InputError):
        raise caught.error
    if caught.error is not None:
        raise RuntimeError(one_line(caught.error)) from caught.error
    return made


def _maker(
    member: Member, folder: Path | None, task: Mapping[str, object]
) -> Callable[[], nn.Module]:
    """Makes the network anew at each call; its module is run once, now."""
    from torch import nn

    module = run_module(member.code, member.place, folder)
    found = getattr(module, member.class_name, None)
    if isinstance(found, nn.Module):
        if member.arguments:
            raise InputError(f"{member.class_name} takes no arguments: leave them out")
        return lambda: copy.deepcopy(found)
    if found is nn.Sequential or (found is None and member.class_name == "Sequential"):
        raise InputError("its nn.Sequential has no name: assign it, as net = nn.Sequential(…)")
    kind: Any = found if inspect.isfunction(found) else find_class(module, member.class_name)
    asked = {name: task[TASK[name]] for name in _parameters(kind) if TASK.get(name) in task}
    arguments = {**member.arguments, **asked}  # a member may have been given another task's
    if inspect.isfunction(found):
        return lambda: _given_by(found, arguments)
    return lambda: construct(kind, arguments)


def _given_by(function: Callable[..., Any], arguments: Mapping[str, Any]) -> nn.Module:
    """The network that a function gives.

    Raises:
        InputError: The arguments do not fit, or it gives something else.
    """
    from torch import nn

    name = function.__name__
    try:
        inspect.signature(function).bind(**arguments)
    except TypeError as error:
        raise InputError(
            f"arguments of {name}: {error}; give them as --arguments '{{\"name\": value}}'"
        ) from error
    made = function(**arguments)
    if not isinstance(made, nn.Module):
        raise InputError(f"{name} gives {type(made).__name__}, no nn.Module: name one that does")
    return made


def _parameters(kind: type[Any]) -> list[str]:
    try:
        return list(inspect.signature(kind).parameters)
    except (TypeError, ValueError):  # of a class that is not written in Python
        return []
