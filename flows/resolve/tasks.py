"""Which task is meant by a name: a dataset's, or dataset:split:metric:epochs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from flows.resolve.values import kind_in_words


def named_task(
    others: Sequence[Target],
    target: Target,
    text: str,
    space: str,
    said: str | None = None,
    elsewhere: Callable[[], Sequence[str]] = tuple,
) -> Target:
    """The task of a dataset's name or of `dataset:split:metric:epochs`.

    Args:
        others: What there is to choose from.
        target: What is searched or predicted: where several fit, the nearest to it is meant.
        text: The name.
        space: Whose tasks they are.
        said: What somebody said where that is more than the name.
        elsewhere: Gives the tasks of other spaces that could be meant, as people name them; asked
            where there is none here.

    Raises:
        InputError: There is none.
    """
    fitting = [each for each in others if long_name(each) == text]
    # Its own dataset's name, without more, could be any of several fidelities of the same.
    if ":" not in text and (said is not None or text != target.dataset):
        fitting = [each for each in others if each.dataset == text]
        same = [each for each in fitting if each.metric == target.metric]
        fitting = same or fitting
    if fitting:
        return nearest(fitting, target)
    names = [*(long_name(each) for each in others), *elsewhere()]
    listed = ", ".join(dict.fromkeys(names)) or "no other task"
    said_or_text = text if said is None else said
    if said is None and text in (long_name(target), target.dataset):
        raise InputError(
            f"--transfer {text}: that is what is searched or predicted, choose from {listed}"
        )
    raise InputError(f"--transfer {said_or_text}: {space} has no such task, choose from {listed}")


def task_in_words(old: Mapping[str, Any]) -> str:
    """An old task in words, with the space where that is another one.

    Args:
        old: Its entry in a configuration's `transfer`.
    """
    of = f", of {old['space']}" if "space" in old else ""
    return f"{kind_in_words(old)}{of}"


def by_dataset(tasks: Sequence[Target], target: Target) -> list[Target]:
    """Of each dataset the values of the same metric that are nearest to what is sought."""
    fitting = [
        each for each in tasks if each.metric == target.metric and each.direction is not None
    ]
    datasets = sorted({each.dataset for each in fitting})
    return [nearest([e for e in fitting if e.dataset == name], target) for name in datasets]


def nearest(fitting: Sequence[Target], target: Target) -> Target:
    """The one that has the most in common with a target, the metric first."""
    names = ("metric", "split", "epochs", "source")
    return min(fitting, key=lambda each: [getattr(each, n) != getattr(target, n) for n in names])


def kind_of(target: Target) -> tuple[Any, ...]:
    """A task whatever the source of its values."""
    return (target.dataset, target.metric, target.split, target.epochs)


def long_name(target: Target) -> str:
    """A task as people name it."""
    epochs = "" if target.epochs is None else target.epochs
    return f"{target.dataset}:{target.split}:{target.metric}:{epochs}"
