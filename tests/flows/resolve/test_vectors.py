"""Which stored vectors are meant: the rules that every command shares."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings.vectors import Vectors, VectorSource
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.spaces import get_space
from flows.resolve.vectors import find_vectors, load_labelled, load_vectors, without_vectors
from tests.flows.resolve.small_warehouses import (
    COUNT,
    SPACE,
    add_architectures,
    embed,
    measure,
    rendered,
)
from warehouse import Warehouse

TARGET = Target("cifar10", "accuracy", "test", 200, "mine")


def meant(warehouse: Warehouse, whole: bool = False, **asked: Any) -> VectorSource:
    [source] = find_vectors(warehouse, SPACE, [Vectors(**asked)], whole=whole)
    return source


# What is stored beside each other, what is asked for, and which of the stored is meant.
CHOICES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], int]] = {
    "the only one": ([{"precision": "fp32", "pooling": "cls"}], {}, 0),
    "the usual precision": ([{"precision": "fp32"}, {}], {}, 1),
    "the precision that is named": ([{"precision": "fp32"}, {}], {"precision": "fp32"}, 0),
    "the usual pooling": ([{"pooling": "mean"}, {"precision": "fp32"}], {}, 1),
    "the pooling that is named": (
        [{"pooling": "mean"}, {"pooling": "mean", "precision": "fp32"}, {}],
        {"pooling": "mean"},
        0,
    ),
    "the usual language model": (
        [{"language_model": "bert-a", "weights_sha256": "3" * 64}, {"precision": "fp32"}],
        {},
        1,
    ),
    "the language model that is named": (
        [{"language_model": "bert-a", "weights_sha256": "3" * 64}, {}],
        {"lm": "bert-a"},
        0,
    ),
    "no random weights": ([{"random_init": 0, "weights_sha256": None}, {}], {}, 1),
    "no random weights, however usual the rest": (
        [{"random_init": 0, "weights_sha256": None}, {"pooling": "cls", "precision": "fp32"}],
        {},
        1,
    ),
    "random weights that are asked for": (
        [{"random_init": 0, "weights_sha256": None}, {"random_init": 1, "weights_sha256": None}],
        {"random_init": 1},
        1,
    ),
    "no limit before one": ([{"max_length": 60}, {}], {}, 1),
    "no limit, however usual the rest": ([{"max_length": 60}, {"precision": "fp32"}], {}, 1),
    "a limit where there is no other": ([{"max_length": 60}], {}, 0),
}


@pytest.mark.parametrize("case", CHOICES)
def test_of_several_one_is_meant(tmp_path: Path, case: str) -> None:
    stored, asked, expected = CHOICES[case]
    warehouse = rendered(tmp_path)
    ids = [embed(warehouse, **changes) for changes in stored]
    for whole in (False, True):
        source = meant(warehouse, whole, **asked)
        assert source.spec_id == ids[expected]
        model = stored[expected].get("language_model", "minilm")
        assert source == VectorSource("code.bare", "none", source.spec_id, model)


def test_the_beginning_of_an_id_says_all_by_itself(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    control = embed(warehouse, random_init=0, weights_sha256=None, pooling="cls")
    embed(warehouse)
    asked = {"lm": control[:8], "pooling": "mean", "precision": "fp32", "random_init": None}
    assert meant(warehouse, **asked).spec_id == control


def test_several_that_are_as_usual_as_each_other_are_listed(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    ids = [
        embed(warehouse, language_model=name, weights_sha256=3 * name)
        for name in ("bert-a", "bert-b")
    ]
    with pytest.raises(InputError) as caught:
        meant(warehouse)
    message = str(caught.value)
    assert "several specifications fit: give --lm the beginning of one of" in message
    for spec_id, name in zip(ids, ("bert-a", "bert-b"), strict=True):
        assert f"{spec_id} ({name}, avg_avg, bf16)" in message
    assert [meant(warehouse, lm=id_[:10]).spec_id for id_ in ids] == ids
    assert meant(warehouse, lm="bert-b").spec_id == ids[1]


def test_what_only_another_encoding_has_does_not_fit(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path, "code.bare", "code.inline")
    fp32 = embed(warehouse, precision="fp32")
    usual = embed(warehouse, "code.inline")
    assert meant(warehouse).spec_id == fp32
    assert meant(warehouse, encoding="code.inline").spec_id == usual


def test_cut_texts_count_where_whole_ones_need_not_be(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    cut = embed(warehouse, cut=True, max_length=60)
    assert meant(warehouse).spec_id == cut
    with pytest.raises(InputError, match=r"^embeddings of whole texts are missing: make them with"):
        meant(warehouse, whole=True)
    whole = embed(warehouse, precision="fp32")
    assert meant(warehouse).spec_id == meant(warehouse, whole=True).spec_id == whole


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        (
            {},
            "cole embed nasbench201 --encoding code.bare --lm minilm --pooling avg_avg "
            "--precision bf16",
        ),
        (
            {"lm": "bert-a", "pooling": "mean", "precision": "fp32", "random_init": 3},
            "cole embed nasbench201 --encoding code.bare --lm bert-a --pooling mean "
            "--precision fp32 --random-init 3",
        ),
        (
            {"encoding": "code.inline"},
            "cole render nasbench201 --encoding code.inline; cole embed nasbench201 "
            "--encoding code.inline --lm minilm --pooling avg_avg --precision bf16",
        ),
        (
            {"encoding": "code.bare+graf+code.inline"},
            "cole embed nasbench201 --encoding code.bare --lm minilm --pooling avg_avg "
            "--precision bf16; cole render nasbench201 --encoding code.inline; cole embed "
            "nasbench201 --encoding code.inline --lm minilm --pooling avg_avg --precision bf16",
        ),
        (
            {"context": "network"},
            "cole render nasbench201 --encoding code.expression --context network; cole embed "
            "nasbench201 --encoding code.expression --context network --lm minilm "
            "--pooling avg_avg --precision bf16",
        ),
    ],
)
def test_what_is_missing_is_told_with_the_commands_that_make_it(
    tmp_path: Path, asked: dict[str, Any], commands: str
) -> None:
    warehouse = rendered(tmp_path)
    embed(warehouse, random_init=0, weights_sha256=None)  # a control is no answer
    with pytest.raises(InputError) as caught:
        meant(warehouse, **asked)
    assert str(caught.value) == f"embeddings are missing: make them with: {commands}"


def test_all_that_several_lack_is_one_line(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    embed(warehouse)
    asked = [Vectors(), Vectors(precision="fp32"), Vectors(pooling="cls"), Vectors(pooling="cls")]
    with pytest.raises(InputError) as caught:
        find_vectors(warehouse, SPACE, asked)
    assert str(caught.value).count("cole embed") == 2


def test_side_by_side_needs_one_specification_of_all_texts(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path, "code.bare", "code.inline")
    embed(warehouse, precision="fp32")
    embed(warehouse, "code.inline")
    both = "code.bare+code.inline+graf"
    with pytest.raises(InputError, match="embeddings are missing"):
        meant(warehouse, encoding=both)
    shared = embed(warehouse, "code.inline", precision="fp32")
    source = meant(warehouse, encoding=both)
    assert source == VectorSource(both, "none", shared, "minilm")
    structural = load_vectors(warehouse, SPACE, meant(warehouse, encoding="graf"))
    found = load_vectors(warehouse, SPACE, source)
    assert found.architecture_ids == structural.architecture_ids
    assert found.vectors.shape == (COUNT, 3 + 3 + structural.vectors.shape[1])
    np.testing.assert_array_equal(found.vectors[:, 1], len("code.bare"))
    np.testing.assert_array_equal(found.vectors[:, 4], len("code.inline"))
    np.testing.assert_array_equal(found.vectors[:, 6:], structural.vectors)


def test_structural_encodings_need_nothing_stored(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    add_architectures(warehouse)
    for asked in (Vectors(encoding="path"), Vectors(encoding="path+graf", lm="nobody")):
        [source] = find_vectors(warehouse, SPACE, [asked])
        assert source == VectorSource(str(asked.encoding), "none", None, None)


@pytest.mark.parametrize(
    ("encoding", "says"),
    [
        ("haiku", "unknown encoding of nasbench201 'haiku': choose one of "),
        ("code.bare+haiku", "unknown encoding of nasbench201 'haiku': choose one of "),
        ("graf+graf", "encoding 'graf+graf' has a part twice: name each once"),
        ("", "unknown encoding of nasbench201 ''"),
    ],
)
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        meant(rendered(tmp_path), encoding=encoding)
    assert says in str(caught.value)


def test_labelled_are_those_with_a_vector_and_a_value(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    embed(warehouse)
    source = meant(warehouse)
    with pytest.raises(InputError, match="no architecture has both a vector and a value of"):
        load_labelled(warehouse, SPACE, source, TARGET)
    measure(warehouse, TARGET, 3)
    found = load_labelled(warehouse, SPACE, source, TARGET)
    assert found.values.tolist() == [0.0, 1.0, 2.0]
    assert found.natives == warehouse.architectures(SPACE)["native"].to_list()[:3]
    none, without = without_vectors(warehouse, SPACE, TARGET)
    assert (none.spec_id, without.vectors.shape) == (None, (3, 0))
    assert without.labels_hash == found.labels_hash


def test_a_space_that_is_empty_says_how_to_fill_it(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "home")
    add_architectures(warehouse, get_space("einspace"))
    [source] = find_vectors(warehouse, SPACE, [Vectors(encoding="path")])
    with pytest.raises(InputError, match="has no architectures: run 'cole enumerate nasbench201'"):
        load_vectors(warehouse, SPACE, source)
