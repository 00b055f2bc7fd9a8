"""The official files of NAS-Bench-201 and of NATS-Bench's topology space.

    NAS-Bench-201-v1_1-096897.pth     torch.save of one dictionary; `less` is 12 epochs, `full` 200
    NATS-tss-v1_0-3ffb9.pickle.pbz2   the same dictionary, bz2 and pickle; the keys are 12 and 200
    NATS-tss-v1_0-3ffb9-simple/       meta.pickle.pbz2 with the list of native strings, and one
                                      000000.pickle.pbz2 … for each architecture

In each an architecture has, for each number of epochs, `arch_str` and `all_results`, which maps
(dataset, seed) to one training run; a run's `eval_acc1es` holds the top-1 accuracy in percent on
each evaluation set after each epoch, under names such as `x-valid@11`. The last epoch counts.

The official names say what a run was trained on, ours what was measured:

    official dataset   evaluation set   dataset         split
    cifar10-valid      x-valid          cifar10         valid        trained on the half that is
                                                                     not the validation set
    cifar10-valid      ori-test         cifar10-valid   test         the same run on the test set
    cifar10            ori-test         cifar10         test         trained on both halves
    cifar100 and       x-valid          same            valid
    ImageNet16-120     x-test           same            test
                       ori-test         same            valid+test   x-valid and x-test together

Training accuracies are left out: no surrogate is asked for them.

A single file is held in memory while it is read (the official ones need tens of gigabytes); the
folder is read one architecture at a time.
"""

import bz2
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cole_core.errors import InputError
from cole_core.sources.base import (
    MeasuredSpace,
    Source,
    check_natives,
    checked,
    readings_of,
    refuse_told,
    require_space,
    with_nature,
)
from cole_core.sources.readings import Taken
from cole_core.sources.told import Told
from cole_core.sources.unpickling import load_pickle, plain_values, torch_payload

_EXTENSION = ".pickle.pbz2"
_META = "meta" + _EXTENSION
_EPOCHS = {"less": 12, "full": 200}


class NATSBench(Source):
    """The official files and folders."""

    name = "nats-bench"
    about = "the official .pth or .pickle.pbz2 file, or a NATS-Bench topology folder"

    def recognises(self, origin: str) -> bool:
        path = Path(origin)
        return path.is_dir() or (path.exists() and path.suffix.lower() in (".pth", ".pbz2"))

    def read(self, origin: str, space: MeasuredSpace) -> pl.DataFrame:
        return take_nats_bench(Path(origin), space).rows

    def take(self, origin: str, space: MeasuredSpace, told: Told) -> Taken:
        refuse_told(origin, told)
        return take_nats_bench(Path(origin), space)


def take_nats_bench(path: Path, space: MeasuredSpace) -> Taken:
    """Reads an official file or folder.

    Args:
        path: A `.pth` or `.pickle.pbz2` file, or a NATS-Bench topology folder.
        space: NAS-Bench-201.

    Returns:
        A row for each architecture, dataset, split, number of epochs and seed; and the official
        list, which is where people take an architecture's index from.

    Raises:
        InputError: The file is damaged, of another format, or asks for more than plain values.
    """
    require_space(space, "nasbench201", path.name)
    natives, architectures = _of_folder(path) if path.is_dir() else _of_file(path)
    rows = checked(_rows(path, space, architectures), path.name)
    listed = tuple(map(str, natives)) if isinstance(natives, list | tuple) else ()
    return Taken(rows, readings_of(with_nature(rows)), listed=listed)


_Results = Iterator[tuple[str, str, Mapping[str, Any]]]  # where it stands, native, by epochs


def _rows(path: Path, space: MeasuredSpace, architectures: _Results) -> Iterator[tuple[Any, ...]]:
    for where, native, results_by_epochs in architectures:
        check_natives([native], space, where)
        try:
            for label, results in results_by_epochs.items():
                if results["arch_str"] != native:
                    raise InputError(
                        f"{where}: holds {results['arch_str']}, but the list of architectures "
                        f"says {native}; the files are of different downloads"
                    )
                for (dataset, seed), run in results["all_results"].items():
                    yield from _of_run(native, dataset, int(seed), run, label, path.name)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise _unlike(where, error) from error


def _of_run(
    native: str, dataset: str, seed: int, run: Mapping[str, Any], label: str, source: str
) -> Iterator[tuple[Any, ...]]:
    epochs = int(run["epochs"])
    if epochs != (_EPOCHS.get(label) or int(label)):
        raise ValueError(f"a run of {epochs} epochs under the name {label!r}")
    accuracies = run["eval_acc1es"]
    for name in run["eval_names"]:
        measured, split = _measured(dataset, name)
        value = float(accuracies[f"{name}@{epochs - 1}"])
        yield native, measured, "accuracy", split, epochs, seed, source, value


def _measured(dataset: str, evaluation_set: str) -> tuple[str, str]:
    """Our dataset and split for an official dataset and evaluation set."""
    if dataset == "cifar10-valid" and evaluation_set == "x-valid":
        return "cifar10", "valid"
    if evaluation_set == "ori-test" and not dataset.startswith("cifar10-"):
        return dataset, "test" if dataset == "cifar10" else "valid+test"
    return dataset, {"x-valid": "valid", "x-test": "test", "ori-test": "test"}[evaluation_set]


def _of_folder(folder: Path) -> tuple[Any, _Results]:
    meta = folder / _META
    if not meta.is_file():
        raise InputError(f"{folder}: no {_META} in it, so give a NATS-Bench topology folder")
    natives = _get(_load_bz2(meta), "meta_archs", meta.name)
    files = sorted(
        (int(stem), file)
        for file in folder.glob("*" + _EXTENSION)
        if (stem := file.name.removesuffix(_EXTENSION)).isdecimal()
    )
    if not files:
        raise InputError(
            f"{folder}: no architecture's file beside {_META}; unpack the whole folder"
        )

    def results() -> _Results:
        for index, file in files:
            try:
                native = natives[index]
            except (IndexError, KeyError, TypeError) as error:
                raise _unlike(meta.name, error) from error
            yield file.name, native, _load_bz2(file)

    return natives, results()


def _of_file(path: Path) -> tuple[Any, _Results]:
    if path.name.endswith(_EXTENSION):
        content = _load_bz2(path)
    else:
        with path.open("rb") as stream:
            content = torch_payload(stream, plain_values(), path.name)
    natives = _get(content, "meta_archs", path.name)
    found = _get(content, "arch2infos", path.name)

    def results() -> _Results:
        try:
            for index in sorted(found):
                yield path.name, natives[index], found[index]
        except (IndexError, KeyError, TypeError) as error:
            raise _unlike(path.name, error) from error

    return natives, results()


def _load_bz2(path: Path) -> Any:
    with bz2.open(path, "rb") as stream:
        return load_pickle(stream, plain_values(), path.name)


def _get(content: Any, key: str, where: str) -> Any:
    try:
        return content[key]
    except (KeyError, TypeError, IndexError) as error:
        raise _unlike(where, error) from error


def _unlike(where: str, error: Exception) -> InputError:
    return InputError(
        f"{where}: not of the format of NAS-Bench-201 v1.1 or NATS-Bench topology v1.0 "
        f"({type(error).__name__}: {error}); give one of these or a CSV or Parquet table"
    )
