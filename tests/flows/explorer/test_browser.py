"""The explorer in a browser: what somebody clicks through, and what scripts in a warehouse do.

Slow: a browser and a server start, and each page is waited for; half a minute on an idle machine.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser import Page, browser
from tests.flows.explorer import attacks
from tests.flows.explorer.conftest import served
from tests.flows.explorer.warehouses import (
    SIZE,
    SPACE,
    accuracy,
    add_search,
    cells,
    evaluations,
    write_warehouse,
)
from warehouse import Warehouse

pytestmark = pytest.mark.slow

_RUN = "11111111-2222-3333-4444-555555555555"
_COLOURED = """(() => {
  const canvas = document.querySelector('.scatter canvas');
  if (!canvas || !document.querySelector('.legend .bar')) return false;
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return data.some((value, at) => at % 4 === 3 && value > 150);
})()"""
_SPOT = """(() => {
  const canvas = document.querySelector('.scatter canvas'), box = canvas.getBoundingClientRect();
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const at = (data.findIndex((value, at) => at % 4 === 3 && value > 200) - 3) / 4;
  return [box.x + (at % canvas.width) / canvas.width * box.width + 1,
          box.y + Math.floor(at / canvas.width) / canvas.height * box.height + 2];
})()"""
_BOX = """(() => { const box = document.querySelector('.scatter').getBoundingClientRect();
  return [box.x, box.y, box.width, box.height]; })()"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path) as found:
        found.resize(1400, 1000)
        yield found


@pytest.fixture
def living(explored: Warehouse, tmp_path: Path) -> Warehouse:
    shutil.copytree(explored.home, tmp_path / "home")
    return Warehouse(tmp_path / "home")


def assert_at_peace(page: Page, address: str) -> None:
    """Nothing went wrong, and nobody else was asked."""
    assert page.errors == []
    elsewhere = [
        each
        for each in page.asked
        if urlsplit(each).scheme not in ("data", "blob", "about")
        and urlsplit(each).netloc != urlsplit(address).netloc
    ]
    assert elsewhere == []


def press(page: Page, words: str) -> None:
    """Presses the button that says something."""
    page.evaluate(
        "[...document.querySelectorAll('button')]"
        f".find((each) => each.innerText.includes({json.dumps(words)})).click() ?? true"
    )


def test_a_way_through(page: Page, living: Warehouse) -> None:
    with served(living.home) as address:
        page.open(address)
        page.wait_until(_COLOURED)
        page.wait_for(f"{accuracy(SIZE - 1):g}")  # the best stands first at the side
        page.type("input[placeholder*=conv3x3]", "cifar10 > 60")
        page.press("Enter")
        above = sum(accuracy(place) > 60 for place in range(SIZE))
        page.wait_for(f"{above} of {SIZE} fit")
        page.type("input[placeholder*=conv3x3]", "nothing > 1")
        page.press("Enter")
        page.wait_for("is no expression")
        page.type("input[placeholder*=conv3x3]", "true")
        page.press("Enter")
        page.wait_for(f"{SIZE} of {SIZE} fit")
        x, y, width, height = page.evaluate(_BOX)
        press(page, "gesture")
        page.wait_until("!!document.querySelector('.scatter.drawing')")
        corners = [(2, 60), (width - 2, 60), (width - 2, height - 2), (2, height - 2)]
        page.drag([(x + across, y + down) for across, down in corners])
        page.wait_for(" selected")
        page.click(*page.evaluate(_SPOT))
        page.wait_until("!!document.querySelector('.side .card h2 a')")
        page.open(page.evaluate("document.querySelector('.side .card h2 a').href"))
        page.wait_for("Nearest by")
        assert " of 60" in page.text
        assert "cole show" in page.text
        assert_at_peace(page, address)


def test_a_search_is_followed_while_it_runs(page: Page, living: Warehouse) -> None:
    with served(living.home) as address:
        page.open(f"{address}/searches")
        page.wait_for("the latest 10 of 10")
        assert "± 2.00" in page.text
        for first in (10, 15):
            with living.writer("test", _RUN) as writer:
                add_search(writer, cells(), range(first, first + 5))
            page.wait_for(f"the latest {first + 5} of {first + 5}")
            page.wait_for(f"{accuracy(first + 4):.2f}")
        page.wait_until("!!document.querySelector('.chart canvas')")
        assert_at_peace(page, address)


def test_sql_answers_and_remembers(page: Page, living: Warehouse) -> None:
    with served(living.home) as address:
        page.open(f"{address}/sql")
        page.wait_for("evaluations")
        press(page, "Run")
        page.wait_for("20 rows")
        page.wait_until("document.querySelectorAll('.history a').length === 1")
        page.open(f"{address}/runs")
        page.wait_for("search")
        assert_at_peace(page, address)


def test_scripts_in_a_warehouse_are_texts(page: Page, tmp_path: Path) -> None:
    scripts = list(attacks.SCRIPTS)
    warehouse = write_warehouse(tmp_path / "hostile", scripts, [f"{each}(x)" for each in scripts])
    with warehouse.writer("test", _RUN) as writer:
        for script in scripts:
            evaluations(writer, scripts, {"dataset": script, "metric": script, "source": script})
        add_search(writer, scripts, range(len(scripts)))
    with served(warehouse.home) as address:
        places = ["/", "/searches", "/comparisons", "/sql", "/runs"]
        for place in places:
            page.open(f"{address}{place}")
            page.wait_for("COLE")
            page.evaluate("new Promise((then) => setTimeout(then, 1500))")
            assert page.evaluate("window.hacked ?? null") is None, place
        for script in scripts:
            page.open(f"{address}/architecture/{SPACE.architecture_id(script)}")
            page.wait_for("Measured")
            assert script in page.text
            assert page.evaluate("window.hacked ?? null") is None, script
        page.open(address)
        page.wait_until("!!document.querySelector('.side table')")
        assert scripts[0] in page.text
        assert page.evaluate("window.hacked ?? null") is None
