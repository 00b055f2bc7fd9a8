"""Image datasets to train on: built in, or the user's own files."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np

from cole_core.errors import InputError

PARTS = ("train", "valid", "test")
DIGITS, ADD_DIGITS = "digits", "add-digits"
_DIGITS_SHARES = {"train": 0.5, "valid": 0.25, "test": 0.25}
_SPLIT_SEED = 0  # of the digits' own parts, the same whatever is made of them
_ADDENDS = 3


@dataclass(frozen=True, eq=False)
class Part:
    """Images and their classes.

    Attributes:
        images: (n, channels, height, width) float32.
        labels: (n,) int64, from 0.
    """

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification task, split once for all.

    Attributes:
        name: What evaluations call it.
        train: What networks are fitted to.
        valid: What searches see.
        test: What they are judged by.
    """

    name: str
    train: Part
    valid: Part
    test: Part

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @cached_property
    def classes(self) -> int:
        """Number of classes; each has an image in `train`."""
        return int(self.train.labels.max()) + 1

    @cached_property
    def content_hash(self) -> str:
        """Hash of all images and labels, 32 hexadecimal digits: what the dataset is known by."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            digest.update(repr(part.images.shape).encode())
            digest.update(np.ascontiguousarray(part.images, dtype="<f4").tobytes())
            digest.update(np.ascontiguousarray(part.labels, dtype="<i8").tobytes())
        return digest.hexdigest()[:32]


def load_dataset(name: str, size: int | None = None, seed: int = 0) -> Dataset:
    """A dataset by name or path.

    Args:
        name: `digits`, `add-digits`, an `.npz` file or a folder of `.npy` files.
        size: Training images of `add-digits`; 4,000 unless given.
        seed: Seed of what `add-digits` draws.

    Raises:
        InputError: There is no such dataset, or its content is not what it should be.
    """
    if size is not None and name != ADD_DIGITS:
        raise InputError(f"dataset '{name}' has the size that it has: only {ADD_DIGITS} takes one")
    if name == DIGITS:
        return digits()
    if name == ADD_DIGITS:
        return add_digits(4_000 if size is None else size, seed)
    path = Path(name)
    if path.is_dir() or path.suffix == ".npz":
        return read_dataset(path)
    raise InputError(
        f"no dataset '{name}': give {DIGITS}, {ADD_DIGITS}, an .npz file or a folder of .npy files"
    )


def digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits of 8×8 pixels; half of each class to train on."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images[:, None] / 16).astype(np.float32)
    labels = bunch.target.astype(np.int64)
    rows = _stratified(labels, np.random.default_rng(_SPLIT_SEED))
    parts = {name: Part(images[own], labels[own]) for name, own in rows.items()}
    return Dataset(DIGITS, **parts)


def add_digits(size: int, seed: int = 0) -> Dataset:
    """Three digits, one in each channel; the class is their sum, 0 to 27.

    The digits are split before they are combined, so no image of one part is in another.

    Args:
        size: Training images; the other parts have a quarter of it each.
        seed: Of the draw.

    Raises:
        InputError: Too small to show every class.
    """
    source = digits()
    rng = np.random.default_rng(seed)
    classes = _ADDENDS * (source.classes - 1) + 1
    if size < 10 * classes:
        raise InputError(f"{ADD_DIGITS} of size {size}: give at least {10 * classes}")
    parts = {}
    for name, count in (("train", size), ("valid", size // 4), ("test", size // 4)):
        part: Part = getattr(source, name)
        rows = rng.integers(len(part.labels), size=(count, _ADDENDS))
        if name == "train":  # the sums 0 and 27 are one draw in a thousand each
            rows[:classes] = _one_of_each_sum(part.labels, rng)
        parts[name] = Part(part.images[rows, 0], part.labels[rows].sum(axis=1))
    return Dataset(ADD_DIGITS, **parts)


def _stratified(labels: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rows of each part, in the same proportions of each class."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in PARTS}
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        ends = np.rint(np.cumsum(list(_DIGITS_SHARES.values())) * len(own)).astype(int)
        for name, chunk in zip(PARTS, np.split(own, ends[:-1]), strict=True):
            rows[name].append(chunk)
    return {name: rng.permutation(np.concatenate(chunks)) for name, chunks in rows.items()}


def _one_of_each_sum(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows (sums, addends) of images that add up to 0, 1, 2 and so on."""
    largest = int(labels.max())
    rows = []
    for total in range(_ADDENDS * largest + 1):
        addends = [int(np.clip(total - largest * i, 0, largest)) for i in range(_ADDENDS)]
        rows.append([rng.choice(np.flatnonzero(labels == digit)) for digit in addends])
    return np.array(rows)


def read_dataset(path: Path) -> Dataset:
    """Reads train_x, train_y, valid_x, valid_y, test_x, test_y: the layout of the Unseen NAS
    datasets (arXiv 2404.00399).

    Args:
        path: An `.npz` file, or a folder with one `.npy` file for each.

    Raises:
        InputError: A file is missing or unreadable, or its content is not images (n, channels,
            height, width) or classes from 0; says which.
    """
    if not path.exists():
        raise InputError(f"no dataset at {path}")
    read = _folder_reader(path) if path.is_dir() else _npz_reader(path)
    parts = {}
    for name in PARTS:
        images = _checked_images(read(f"{name}_x"), f"{path}: {name}_x")
        labels = _checked_labels(read(f"{name}_y"), f"{path}: {name}_y")
        if len(images) != len(labels):
            raise InputError(
                f"{path}: {name}_x has {len(images)} images and {name}_y {len(labels)} labels"
            )
        parts[name] = Part(images, labels)
    dataset = Dataset(path.stem, **parts)
    _check_parts_fit(dataset, path)
    return dataset


def _folder_reader(path: Path) -> Callable[[str], np.ndarray]:
    def read(name: str) -> np.ndarray:
        file = path / f"{name}.npy"
        if not file.exists():
            raise InputError(f"{path}: {name}.npy is missing")
        try:
            return np.load(file, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            _unreadable(file, error)

    return read


def _npz_reader(path: Path) -> Callable[[str], np.ndarray]:
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        _unreadable(path, error)
    if not isinstance(archive, Mapping):
        raise InputError(f"{path}: is one array, not an archive of them")

    def read(name: str) -> np.ndarray:
        if name not in archive:
            raise InputError(f"{path}: {name} is missing")
        try:
            return archive[name]
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            _unreadable(path, error)

    return read


def _unreadable(path: Path, error: Exception) -> NoReturn:
    raise InputError(
        f"{path}: no arrays ({type(error).__name__}); save it anew with numpy"
    ) from None


def _checked_images(array: np.ndarray, where: str) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: of type {array.dtype}; give numbers")
    if array.ndim != 4:
        raise InputError(f"{where}: of shape {array.shape}; give (images, channels, height, width)")
    if array.size == 0:
        raise InputError(f"{where}: is empty")
    with np.errstate(over="ignore"):  # what is beyond float32 is infinite then, and refused
        images = array.astype(np.float32)
    if not np.isfinite(images).all():
        bad = int(np.argmin(np.isfinite(images).all(axis=(1, 2, 3))))
        raise InputError(f"{where}: image {bad} has a value that is NaN or infinite")
    return images


def _checked_labels(array: np.ndarray, where: str) -> np.ndarray:
    if array.ndim != 1:
        raise InputError(f"{where}: of shape {array.shape}; give one class for each image")
    if array.dtype.kind not in "iu":
        raise InputError(f"{where}: of type {array.dtype}; give classes as integers from 0")
    if array.size == 0:
        raise InputError(f"{where}: is empty")
    labels = array.astype(np.int64)
    if labels.min() < 0:
        raise InputError(
            f"{where}: label {labels.min()} at {labels.argmin()}; classes count from 0"
        )
    return labels


def _check_parts_fit(dataset: Dataset, path: Path) -> None:
    """Checks that the parts are of one task, with train as the measure."""
    present = np.unique(dataset.train.labels)
    absent = next(_gaps(present), None)
    if absent is not None:
        raise InputError(
            f"{path}: train_y has labels up to {present[-1]} and none of class {absent}; "
            "number the classes from 0 without a gap"
        )
    if dataset.classes < 2:
        raise InputError(f"{path}: train_y has one class only")
    for name in PARTS[1:]:
        part: Part = getattr(dataset, name)
        if part.images.shape[1:] != dataset.train.images.shape[1:]:
            raise InputError(
                f"{path}: {name}_x has images of shape {part.images.shape[1:]}, "
                f"train_x of {dataset.train.images.shape[1:]}"
            )
        if part.labels.max() >= dataset.classes:
            raise InputError(
                f"{path}: {name}_y has label {part.labels.max()} at {part.labels.argmax()}; "
                f"train_y has classes 0 to {dataset.classes - 1}"
            )


def _gaps(present: np.ndarray) -> Iterator[int]:
    return (i for i, label in enumerate(present) if label != i)
