"""The search space: native strings, enumeration, sampling, mutation."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.spaces import get_space, spaces
from cole_core.spaces.nasbench201 import EDGES, OPERATIONS, Cell, NASBench201, parse

EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)

cells = st.tuples(*[st.sampled_from(OPERATIONS)] * len(EDGES)).map(Cell)


def test_the_example_reads_edge_by_edge() -> None:
    cell = parse(EXAMPLE)
    assert dict(zip(EDGES, cell.operations, strict=True)) == {
        (0, 1): "nor_conv_3x3",
        (0, 2): "nor_conv_3x3",
        (1, 2): "avg_pool_3x3",
        (0, 3): "skip_connect",
        (1, 3): "nor_conv_3x3",
        (2, 3): "skip_connect",
    }
    assert cell.format() == EXAMPLE


@given(cells)
def test_parse_undoes_format(cell: Cell) -> None:
    assert parse(cell.format()) == cell


@given(cells, st.data())
def test_a_string_with_one_character_changed_reads_as_itself_or_not_at_all(
    cell: Cell, data: st.DataObject
) -> None:
    native = cell.format()
    position = data.draw(st.integers(0, len(native) - 1))
    character = data.draw(st.sampled_from("|+~0123x _"))
    changed = native[:position] + character + native[position + 1 :]
    try:
        read = parse(changed)
    except InputError:
        return
    assert read.format() == changed


@pytest.mark.parametrize(
    ("native", "message"),
    [
        ("", "'' is no NAS-Bench-201 cell: nodes joined by '.' are 3, not 1"),
        ("resnet18", "nodes joined by '.' are 3, not 1"),
        (EXAMPLE + "+|none~0|", "nodes joined by '.' are 3, not 4"),
        (EXAMPLE[1:], "node 1 .* does not begin and end with '|'"),
        (EXAMPLE[:-1], "node 3 .* does not begin and end with '|'"),
        (EXAMPLE + " ", "node 3 .* does not begin and end with '|'"),
        (EXAMPLE.replace("avg_pool_3x3", "max_pool_3x3"), "unknown operation 'max_pool_3x3'.*none"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3"), "not of the form operation~source"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~3"), "node 2 read node 3, which is not"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~2"), "node 2 read node 2, which is not"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~0"), "where one from node 1 is due"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~01"), "where one from node 1 is due"),
        (EXAMPLE.replace("avg_pool_3x3~1", "avg_pool_3x3~7"), "where one from node 1 is due"),
        (EXAMPLE.replace("|avg_pool_3x3~1|", "|"), "edges into node 2 are 2, not 1"),
        ("|none~0|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "'none~0' .* one too many"),
        ("||+|none~0|none~1|+|none~0|none~1|none~2|", "edge '' of node 1 is not of the form"),
    ],
)
def test_a_malformed_string_is_refused_where_it_breaks(native: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        NASBench201().validate(native)


def test_the_message_is_one_line() -> None:
    with pytest.raises(InputError) as caught:
        parse(EXAMPLE + "\n")
    assert "\n" not in str(caught.value)


def test_enumeration_is_every_cell_once_in_a_fixed_order() -> None:
    space = get_space("nasbench201")
    natives = list(space.enumerate())
    assert len(natives) == len(set(natives)) == space.size == 15_625
    assert natives[0] == "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    assert natives[1] == "|none~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"
    assert natives[5] == "|none~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    assert natives[-1].count("avg_pool_3x3") == 6
    for native in islice(natives, 0, None, 97):
        space.validate(native)


def test_enumeration_is_the_set_of_the_measured_strings(shared: Path) -> None:
    import polars as pl

    measured = pl.read_parquet(shared / "data" / "nasbench201.parquet")["arch_str"]
    assert set(measured) == set(NASBench201().enumerate())


def test_a_sample_is_a_cell_and_a_seed_repeats_it() -> None:
    space = NASBench201()
    first, second = (np.random.default_rng(7) for _ in range(2))
    samples = [space.sample(first) for _ in range(2000)]
    assert samples == [space.sample(second) for _ in range(2000)]
    operations = np.array([parse(native).operations for native in samples])
    for operation in OPERATIONS:  # 2000 draws with p = 1/5: standard deviation 0.009
        assert (operations == operation).mean(axis=0) == pytest.approx(np.full(6, 0.2), abs=0.05)


@given(cells, st.integers(1, 6), st.integers(0, 2**32))
def test_a_mutation_changes_exactly_so_many_edges(cell: Cell, edits: int, seed: int) -> None:
    mutated = NASBench201().mutate(cell.format(), np.random.default_rng(seed), edits)
    pairs = zip(cell.operations, parse(mutated).operations, strict=True)
    assert sum(before != after for before, after in pairs) == edits


def test_mutations_reach_every_neighbour() -> None:
    space, rng = NASBench201(), np.random.default_rng(0)
    assert len({space.mutate(EXAMPLE, rng) for _ in range(1000)}) == 6 * 4


@pytest.mark.parametrize("edits", [0, 7])
def test_an_impossible_number_of_edits_is_refused(edits: int) -> None:
    with pytest.raises(InputError, match=f"{edits} edits are not possible: choose 1 to 6"):
        NASBench201().mutate(EXAMPLE, np.random.default_rng(0), edits)


def test_spaces_are_found_by_name() -> None:
    assert isinstance(get_space("nasbench201"), NASBench201)
    assert "nasbench201" in spaces
    with pytest.raises(InputError, match=r"unknown search space 'nasbench102'.*nasbench201"):
        get_space("nasbench102")
