"""Datasets: what is built in, and what is refused of one's own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cole_core.errors import InputError
from cole_core.evaluation.datasets import PARTS, Dataset, load_dataset

Arrays = dict[str, np.ndarray]


def good() -> Arrays:
    rng = np.random.default_rng(0)
    arrays: Arrays = {}
    for part in PARTS:
        arrays[f"{part}_x"] = rng.random((6, 2, 4, 5), np.float32)
        arrays[f"{part}_y"] = np.arange(6) % 3
    return arrays


def change(name: str, value: object) -> Callable[[Arrays], Arrays]:
    """The arrays with one of them replaced, or changed by a function, or (None) left out."""

    def changed(arrays: Arrays) -> Arrays:
        new = value(arrays[name]) if callable(value) else value
        return {
            key: new if key == name else old
            for key, old in arrays.items()
            if new is not None or key != name
        }  # type: ignore[misc]

    return changed


def with_nan(images: np.ndarray) -> np.ndarray:
    images = images.copy()
    images[3, 0, 1, 1] = np.nan
    return images


BAD = {
    "missing": (change("valid_y", None), "valid_y"),
    "lengths": (change("train_y", lambda y: y[:-1]), "train_x has 6 images and train_y 5 labels"),
    "negative label": (change("train_y", lambda y: y - 1), "label -1 at 0"),
    "label out of range": (change("test_y", lambda y: y + 1), "test_y has label 3 at 2"),
    "a class without images": (change("train_y", lambda y: y * 2), "none of class 1"),
    "one class": (change("train_y", lambda y: y * 0), "one class only"),
    "NaN": (change("train_x", with_nan), "train_x: image 3 has a value that is NaN"),
    "infinite as float32": (change("valid_x", lambda x: x.astype("f8") + 1e300), "infinite"),
    "rank of images": (change("train_x", lambda x: x[:, 0]), r"of shape \(6, 4, 5\)"),
    "rank of labels": (change("train_y", lambda y: np.eye(3)[y]), r"of shape \(6, 3\)"),
    "no images": (change("test_x", lambda x: x[:0]), "test_x: is empty"),
    "no labels": (change("test_y", lambda y: y[:0]), "test_y: is empty"),
    "labels of fractions": (change("train_y", lambda y: y + 0.5), "of type float64"),
    "complex images": (change("train_x", lambda x: x.astype("c8")), "of type complex64"),
    "objects": (change("train_y", lambda y: y.astype(object)), "no arrays"),
    "another shape": (change("valid_x", lambda x: x[:, :1]), r"shape \(1, 4, 5\), train_x of"),
}


def write(arrays: Arrays, path: Path) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    else:
        path.mkdir()
        for name, array in arrays.items():
            np.save(path / f"{name}.npy", array)
    return path


@pytest.mark.parametrize("name", ["mine.npz", "mine"])
def test_a_dataset_of_ones_own(tmp_path: Path, name: str) -> None:
    arrays = good()
    dataset = load_dataset(str(write(arrays, tmp_path / name)))
    assert (dataset.name, dataset.input_shape, dataset.classes) == ("mine", (2, 4, 5), 3)
    for part in PARTS:
        np.testing.assert_array_equal(getattr(dataset, part).images, arrays[f"{part}_x"])
        np.testing.assert_array_equal(getattr(dataset, part).labels, arrays[f"{part}_y"])


@pytest.mark.parametrize("name", ["mine.npz", "mine"])
@pytest.mark.parametrize("case", BAD)
def test_bad_datasets_are_refused_in_one_line(tmp_path: Path, name: str, case: str) -> None:
    spoil, message = BAD[case]
    path = write(spoil(good()), tmp_path / name)
    with pytest.raises(InputError, match=message) as caught:
        load_dataset(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_files_that_are_no_datasets(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    np.save(tmp_path / "array.npy", np.arange(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for name, said in (
        ("text.npz", r"text\.npz: no arrays \(ValueError\); save it anew with numpy"),
        ("array.npz", r"array\.npz: is one array, not an archive of them"),
        ("none.npz", r"no dataset at .*none\.npz"),
        ("mnist", r"no dataset '.*mnist': give digits, add-digits, an \.npz file or a folder"),
    ):
        with pytest.raises(InputError, match=said):
            load_dataset(str(tmp_path / name))
    with pytest.raises(InputError, match="has the size that it has"):
        load_dataset("digits", size=100)
    with pytest.raises(InputError, match="add-digits of size 100: give at least 280"):
        load_dataset("add-digits", size=100)


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_digits_are_split_once() -> None:
    dataset, again = load_dataset("digits"), load_dataset("digits")
    parts = [getattr(dataset, part) for part in PARTS]
    assert sum(len(part.labels) for part in parts) == 1_797
    assert (dataset.input_shape, dataset.classes) == ((1, 8, 8), 10)
    images = np.concatenate([part.images for part in parts])
    published = (load_digits().images[:, None] / 16).astype(np.float32)
    assert rows(images) == rows(published)
    for part in parts:  # stratified: no class is rarer than the others' rounding
        shares = np.bincount(part.labels) / np.bincount(load_digits().target)
        assert np.ptp(shares) < 0.02
    assert dataset.content_hash == again.content_hash


def test_sums_of_digits_do_not_share_images_between_parts() -> None:
    digits, dataset = load_dataset("digits"), load_dataset("add-digits", size=1_000)
    assert (dataset.input_shape, dataset.classes) == ((3, 8, 8), 28)
    assert [len(getattr(dataset, part).labels) for part in PARTS] == [1_000, 250, 250]
    for part in PARTS:
        own, made = getattr(digits, part), getattr(dataset, part)
        label = {image.tobytes(): int(of) for image, of in zip(own.images, own.labels, strict=True)}
        sums = [sum(label[c[None].tobytes()] for c in image) for image in made.images]
        assert sums == made.labels.tolist()
    assert set(dataset.train.labels) == set(range(28))


def test_the_content_names_a_dataset() -> None:
    def hash_of(**arguments: int) -> str:
        return load_dataset("add-digits", **arguments).content_hash

    assert hash_of(size=400) == hash_of(size=400)
    assert len({hash_of(size=400), hash_of(size=404), hash_of(size=400, seed=1)}) == 3
    dataset = load_dataset("digits")
    labels = dataset.test.labels.copy()
    labels[0] = (labels[0] + 1) % 10
    changed = Dataset(
        "digits", dataset.train, dataset.valid, type(dataset.test)(dataset.test.images, labels)
    )
    assert changed.content_hash != dataset.content_hash
