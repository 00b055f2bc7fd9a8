"""What a command means by the name of a search space."""

from pathlib import Path

import pytest

from cole_core.errors import InputError
from cole_core.spaces import parse_space
from flows.resolve.spaces import find_space
from tests.flows.resolve.small_warehouses import add_architectures, add_texts, rendered
from warehouse import Warehouse


def test_a_space_is_the_stored_one_the_default_or_the_named_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert find_space(Warehouse(home), "nasbench201").parameters == {}
    assert find_space(Warehouse(home), "einspace").parameters["classes"] == 10
    add_architectures(Warehouse(home), parse_space("einspace:1x8x8:4"), 3)
    stored = find_space(Warehouse(home), "einspace")
    assert dict(stored.parameters) == {"input_shape": [1, 8, 8], "classes": 4}
    assert Warehouse(home).architectures(stored).height == 3
    named = find_space(Warehouse(home), "einspace:3x32x32:7")
    assert dict(named.parameters) == {"input_shape": [3, 32, 32], "classes": 7}


def test_a_warehouse_keeps_the_reference_that_it_began_with(tmp_path: Path) -> None:
    """What was embedded under an earlier default is what stages go on with."""
    before = rendered(tmp_path / "before", "code.expression")
    add_texts(before, "code.bare")
    since = rendered(tmp_path / "since", "code.bare")
    add_texts(since, "code.expression")
    other = rendered(tmp_path / "other", "arch_str")
    found = {
        warehouse.home.name: find_space(warehouse, "nasbench201").reference()
        for warehouse in (before, since, other)
    }
    assert found == {"before": "code.expression", "since": "code.bare", "other": "code.bare"}


def test_a_context_is_of_the_first_encoding_that_knows_it(tmp_path: Path) -> None:
    space = find_space(rendered(tmp_path), "nasbench201")
    assert space.reference() == "code.bare"
    assert space.reference("network") == "code.expression"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("einspace:8x8:10", "after the colon give channels"),
        ("einspace:", "after the colon give parameters, or name 'einspace'"),
        ("nasbench201:3x32x32:10", "has no parameters"),
        ("darts", "unknown search space 'darts'"),
        ("einspace:0x8x8:10", "each 1 or more"),
    ],
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        find_space(Warehouse(tmp_path / "home"), name)
