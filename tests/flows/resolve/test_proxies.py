"""Which stored proxies are meant, and who reads them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.encodings.proxies import COLUMNS, NOISE, WORST
from cole_core.encodings.side_by_side import surrogate_kind
from cole_core.encodings.vectors import ArchitectureVectors, Vectors
from cole_core.errors import InputError
from cole_core.evaluation.target import Target
from cole_core.hashing import hash_text
from flows.resolve.vectors import find_vectors, load_vectors
from tests.flows.resolve.small_warehouses import (
    COUNT,
    SPACE,
    add_architectures,
    embed,
    measure,
    rendered,
)
from warehouse import Warehouse
from warehouse.reader import space_parameters

ZERO = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
TWIN = "|avg_pool_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"
OTHER = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"


def add(warehouse: Warehouse, source: str, dataset: str = NOISE, count: int = COUNT) -> None:
    """Values of two proxies: 0, 1, 2 … of the first architectures."""
    for metric in ("snip", "parameters"):
        measure(warehouse, Target(dataset, metric, "train", 0, source), count)


def of_proxies(warehouse: Warehouse, encoding: str = "proxies") -> ArchitectureVectors:
    [source] = find_vectors(warehouse, SPACE, [Vectors(encoding=encoding)])
    return load_vectors(warehouse, SPACE, source)


def test_the_source_is_named_so_that_it_stays_the_same(tmp_path: Path) -> None:
    warehouse = rendered(tmp_path)
    spec_id = embed(warehouse)
    add(warehouse, "theirs.csv", "cifar10")
    [source] = find_vectors(warehouse, SPACE, [Vectors(encoding="code.bare+proxies")])
    assert (source.encoding, source.spec_id) == ("code.bare+proxies:theirs.csv", spec_id)
    found = load_vectors(warehouse, SPACE, source)
    assert found.vectors.shape == (COUNT, 3 + len(COLUMNS))
    kind = surrogate_kind(SPACE, source, found)
    assert kind == {"blocks": ((3, False), (len(COLUMNS), "quantiles"))}
    add(warehouse, "cole:1")  # computed on noise: what is meant where nothing is said
    [source] = find_vectors(warehouse, SPACE, [Vectors(encoding="proxies")])
    assert source.encoding == "proxies:cole:1"
    assert surrogate_kind(SPACE, source, of_proxies(warehouse)) == {
        "blocks": ((len(COLUMNS), "quantiles"),)
    }


def test_each_reads_its_own_values_and_those_without_a_twins(tmp_path: Path) -> None:
    natives = [TWIN, ZERO, OTHER]
    rows = pl.DataFrame(
        {
            "architecture_id": map(SPACE.architecture_id, natives),
            "space": SPACE.name,
            "space_parameters": space_parameters(SPACE),
            "native": natives,
            "canonical_id": [hash_text(SPACE.canonical_form(native)) for native in natives],
            "position": range(3),
        }
    )
    warehouse = Warehouse(tmp_path)
    with warehouse.writer("test", "run") as writer:
        writer.add_architectures(rows)
    add(warehouse, "cole:1", count=1)
    found = of_proxies(warehouse)
    assert found.natives == [TWIN, ZERO], "nothing is known of the third"
    np.testing.assert_array_equal(found.vectors[0], found.vectors[1])
    columns = dict(zip(COLUMNS, found.vectors[0], strict=True))
    assert columns["snip"] == columns["parameters"] == 0
    assert columns["zen"] == pytest.approx(np.arcsinh(WORST)), "what is missing stands below all"
    add(warehouse, "cole:2", count=2)
    assert of_proxies(warehouse, "proxies:cole:2").vectors[:, COLUMNS.index("snip")].tolist() == [
        0,
        pytest.approx(np.arcsinh(1)),
    ]


def test_accuracies_of_the_same_source_are_no_columns(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    add_architectures(warehouse)
    add(warehouse, "table.csv", "cifar10")
    before = of_proxies(warehouse).vectors
    measure(warehouse, Target("cifar10", "accuracy", "test", 200, "table.csv"))
    measure(warehouse, Target("cifar10", "zen", "test", 12, "table.csv"))  # of trained networks
    np.testing.assert_array_equal(of_proxies(warehouse).vectors, before)


@pytest.mark.parametrize(
    ("stored", "asked", "said"),
    [
        ([], "proxies", "proxies are missing: make them with: cole proxies nasbench201"),
        (
            [],
            "code.bare+proxies",
            "embeddings are missing: make them with: cole proxies nasbench201; cole embed",
        ),
        ([("a", "x"), ("b", "x")], "proxies", "several sources .* name one of a; b, as in"),
        ([("a", "x")], "proxies:c", "source 'c' has no proxies of nasbench201: name one of a"),
        ([("a+b", "x")], "proxies", "source 'a\\+b': take it in under a name without a plus"),
        ([("a", "x"), ("a", "y")], "proxies:a", "source 'a' has proxies of x, y: take them in"),
        ([("a", "x")], "proxies:", "encoding 'proxies:': name the source"),
        ([("a", "x")], "proxy", "unknown encoding of nasbench201 'proxy'"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    tmp_path: Path, stored: list[tuple[str, str]], asked: str, said: str
) -> None:
    warehouse = rendered(tmp_path)
    for source, dataset in stored:
        add(warehouse, source, dataset)
    with pytest.raises(InputError, match=said) as raised:
        of_proxies(warehouse, asked)
    assert "\n" not in str(raised.value)


def test_a_source_of_sizes_alone_is_none(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    add_architectures(warehouse)
    measure(warehouse, Target("cifar10", "parameters", "unknown", None, "hardware.csv"))
    with pytest.raises(InputError, match="make them with: cole proxies"):
        of_proxies(warehouse)
