"""The warehouse of notebooks: its frames and charts against plain loops, and the notebook of docs/
cell by cell."""

import json
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl
import pytest

import cole
import warehouse
from cole_core.errors import InputError
from tests.flows.conftest import SPACE, Small
from tests.flows.kitchen import fill
from tests.flows.pages.reading import ROOT


@pytest.fixture(scope="module")
def kitchen(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("kitchen"), made)


@pytest.fixture
def asked(kitchen: Path) -> cole.Warehouse:
    return cole.Warehouse(kitchen / "cole-home")


def test_it_is_the_warehouse_and_more(asked: cole.Warehouse, made: Small) -> None:
    assert isinstance(asked, warehouse.Warehouse)
    assert set(asked.architectures()["native"]) == set(made.accuracies)
    assert asked.architectures().equals(asked.architectures(SPACE))
    with pytest.raises(AttributeError, match="no attribute 'Shop'"):
        _ = cole.Shop


def test_the_best_are_the_highest(asked: cole.Warehouse, made: Small) -> None:
    frame = asked.best("cifar10", k=4)
    assert frame.columns == ["rank", "architecture_id", "native", "value"]
    assert frame["value"].to_list() == sorted(made.accuracies.values(), reverse=True)[:4]
    for native, value in frame.select("native", "value").iter_rows():
        assert made.accuracies[native] == value
    forms = [SPACE.canonical_form(native) for native in made.accuracies]
    canonical = asked.best("cifar10", k=len(forms), canonical=True)
    assert canonical.height == len(set(forms))


def test_predictions_have_deviations(asked: cole.Warehouse) -> None:
    frame = asked.best("cifar10", k=5, predicted=True)
    assert frame.shape == (5, 6)
    assert frame["predicted"].is_sorted(descending=True)
    assert (frame["std"] > 0).all()


def test_the_nearest_are_the_nearest(asked: cole.Warehouse) -> None:
    table = asked.sql(
        "SELECT native, vector FROM architectures JOIN renderings USING (architecture_id) "
        "JOIN embeddings_minilm_avg_avg_bf16 USING (text_hash)"
    ).sort("native")
    vectors = np.array(table["vector"].to_list(), np.float64)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    natives = table["native"].to_list()
    distance = dict(zip(natives, 1 - unit @ unit[0], strict=True))
    frame = asked.similar(natives[0], k=6)
    nearest = sorted(distance[native] for native in natives[1:])[:6]
    assert frame["distance"].to_list() == pytest.approx(nearest, abs=1e-5)
    assert [distance[native] for native in frame["native"]] == pytest.approx(nearest, abs=1e-5)
    none = asked.similar(natives[0], where="cifar10 > 100")
    assert (none.height, none.columns) == (0, frame.columns)


def test_a_map_shows_every_architecture_with_its_value(asked: cole.Warehouse, made: Small) -> None:
    chart = asked.map("cifar10")
    assert isinstance(chart, alt.Chart)
    text = chart.to_dict()["data"]["values"]
    drawn = pl.read_csv(text.encode())
    assert dict(drawn.select("native", "value").iter_rows()) == pytest.approx(made.accuracies)
    # Principal components: uncorrelated, the first with the larger variance.
    x, y = drawn["x"].to_numpy(), drawn["y"].to_numpy()
    assert abs(np.corrcoef(x, y)[0, 1]) < 1e-2
    assert x.var() >= y.var()
    assert (
        pl.read_csv(asked.map("cifar10", points=20).to_dict()["data"]["values"].encode()).height
        == 20
    )


def test_the_home_is_that_of_the_command_line(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLE_HOME", str(kitchen / "cole-home"))
    assert cole.Warehouse().home == kitchen / "cole-home"
    monkeypatch.delenv("COLE_HOME")
    assert cole.Warehouse().home == Path("cole-home")


def test_a_wrong_name_is_one_line(asked: cole.Warehouse) -> None:
    for call in (
        lambda: asked.best("cifar1000"),
        lambda: asked.map("cifar1000"),
        lambda: asked.similar("|no_cell~0|"),
        lambda: asked.architectures("nasbench2001"),
    ):
        with pytest.raises(InputError, match=r"^[^\n]+$"):
            call()


def cells(kind: str) -> list[str]:
    """The cells of the notebook, of one kind."""
    notebook = json.loads((ROOT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_notebook_runs_cell_by_cell(kitchen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kitchen)
    names: dict[str, object] = {}
    shown: list[object] = []
    for cell in cells("code"):
        body, _, last = cell.rpartition("\n")
        exec(compile(body, "notebook", "exec"), names)
        shown.append(eval(compile(last, "notebook", "eval"), names))
    assert len(shown) >= 7
    assert all(isinstance(each, pl.DataFrame | alt.Chart) for each in shown)
    assert all(each.height > 0 for each in shown if isinstance(each, pl.DataFrame))


def test_the_page_about_notebooks_runs_as_it_stands(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = (ROOT / "docs" / "ask.md").read_text().split("\n## From a notebook\n")[1]
    block = [line.removeprefix("    ") for line in section.splitlines() if line[:4] == "    "]
    monkeypatch.chdir(kitchen)
    exec(compile("\n".join(block), "ask.md", "exec"), {})
    assert "vega" in (kitchen / "map.html").read_text()
