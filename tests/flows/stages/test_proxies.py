"""`cole proxies`: once for each canonical form, stored once, failures recorded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cole_core.encodings.proxies import COMPUTED
from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.spaces import get_space, spaces
from flows.resolve.network_training import NetworkOptions
from flows.resolve.vectors import find_vectors, load_vectors
from flows.stages.proxies import ProxiesRequest, plan, proxies
from tests.flows.resolve.small_warehouses import SPACE, add_architectures
from tests.flows.stages.networks import FRAGILE, Distinct
from warehouse import Warehouse

pytestmark = pytest.mark.usefixtures("prefect_server")

SMALL = NetworkOptions(channels=2, cells=1, workers=1)
WORK = ProxiesRequest(space="nasbench201", networks=SMALL)


def run(home: Path, work: ProxiesRequest = WORK, **changes: Any) -> Any:
    return proxies(replace(work, home=home, **changes))


def test_each_canonical_form_is_computed_once_and_read_by_all(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    add_architectures(warehouse, count=40)
    forms = warehouse.architectures(SPACE)["canonical_id"].n_unique()
    assert forms < 40
    first = run(tmp_path)
    assert (first["proxies"], first["proxies_skipped"]) == (forms, 0)
    stored = warehouse.sql(
        "SELECT DISTINCT dataset, metric, split, epochs, source FROM evaluations"
    )
    assert set(stored["metric"]) <= set(COMPUTED)
    assert set(stored.drop("metric").rows()) == {("noise", "train", 0, first["proxies_source"])}
    again = run(tmp_path)
    assert (again["proxies"], again["proxies_skipped"]) == (0, forms)
    [source] = find_vectors(warehouse, SPACE, [Vectors(encoding="proxies")])
    assert source.encoding == f"proxies:{again['proxies_source']}"
    assert len(load_vectors(warehouse, SPACE, source).natives) == 40
    other = run(tmp_path, dataset="digits", images=4)
    assert other["proxies"] == forms
    assert other["proxies_source"] != first["proxies_source"]


def test_failures_are_recorded_and_not_tried_again(tmp_path: Path) -> None:
    with spaces.registered("distinct", Distinct):
        warehouse = Warehouse(tmp_path)
        add_architectures(warehouse, Distinct(), count=3)
        work = replace(WORK, space="distinct")
        did = run(tmp_path, work)
        assert (did["proxies"], did["proxies_crashed"], did["proxies_failed"]) == (1, 1, 1)
        stored = warehouse.sql("SELECT native, status FROM trainings").rows()
        assert dict(stored) == FRAGILE
        assert run(tmp_path, work)["proxies_skipped"] == 3
        assert run(tmp_path, work, retry_failed=True)["proxies_skipped"] == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": 1}, "--images 1: give at least 2"),
        ({"space": "nasbenchgraph"}, "unknown encoding of nasbenchgraph 'proxies'"),
        ({"dataset": "svhn"}, "no dataset 'svhn'"),
        ({"networks": NetworkOptions(size=9)}, "--size 9 is for a dataset"),
        ({"networks": NetworkOptions(channels=0)}, "channels and cells, 1 or more"),
        ({"networks": NetworkOptions(time_limit=0)}, "limits of 0.0 s"),
        ({"networks": NetworkOptions(run=True)}, "--run is for the code of a corpus"),
        ({}, "no architectures of nasbench201 are stored"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    warehouse = Warehouse(tmp_path)
    if changes:
        add_architectures(warehouse)
    else:
        add_architectures(warehouse, get_space("einspace"), count=1)
    with pytest.raises(InputError, match=said):
        plan(replace(WORK, home=tmp_path, **changes))
