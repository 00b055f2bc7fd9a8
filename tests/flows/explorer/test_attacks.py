"""Attacks on the explorer: nothing is written, read, fetched or run."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cole_core.errors import InputError
from flows.explorer.asking import ask, write_answer
from flows.explorer.atlas import Atlas, mapped_vectors
from tests.flows.explorer import attacks
from tests.flows.explorer.conftest import served
from tests.flows.explorer.warehouses import SPACE
from warehouse import Warehouse

_SECRET = "secret-of-another-file"


@dataclass(frozen=True)
class Target:
    """A warehouse with a file beside it that nobody may read.

    Attributes:
        warehouse: The warehouse.
        folder: Where both are.
    """

    warehouse: Warehouse
    folder: Path

    def fill(self, attack: str) -> str:
        """An attack on it."""
        return attack.format(
            file=self.folder / "secret.csv",
            written=self.folder / "written.csv",
            folder=self.folder,
            home=self.warehouse.home,
        )

    def state(self) -> dict[str, str]:
        """Every file that is there, and what is in it."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


@pytest.fixture(scope="module")
def target(explored: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Target:
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(explored.home, folder / "home")
    (folder / "secret.csv").write_text(f"name\n{_SECRET}\n")
    (folder / "home" / "evil.py").write_text("raise SystemExit('it ran')\n")
    return Target(Warehouse(folder / "home"), folder)


@pytest.fixture(scope="module")
def atlas(target: Target) -> Atlas:
    return Atlas(target.warehouse, SPACE, mapped_vectors(target.warehouse, SPACE)[0])


def test_there_are_enough_of_them() -> None:
    lists = (attacks.QUERIES, attacks.EXPRESSIONS, attacks.PATHS, attacks.PAGES, attacks.METHODS)
    assert sum(map(len, lists)) + len(attacks.OTHERS) + len(attacks.SCRIPTS) >= 200
    assert all(len(set(each)) == len(each) for each in lists)


def test_no_query_does_anything(target: Target, tmp_path: Path) -> None:
    before = target.state()
    for attack in attacks.QUERIES:
        with pytest.raises(InputError) as refused:
            ask(target.warehouse, target.fill(attack))
        assert _SECRET not in str(refused.value), attack
        with pytest.raises(InputError):
            write_answer(target.warehouse, target.fill(attack), "csv", tmp_path)
    assert target.state() == before


def test_no_expression_does_anything(target: Target, atlas: Atlas) -> None:
    before = target.state()
    for attack in attacks.EXPRESSIONS:
        with pytest.raises(InputError) as refused:
            atlas.evaluate(target.fill(attack))
        assert _SECRET not in str(refused.value), attack
    assert target.state() == before


@pytest.fixture(scope="module")
def page(target: Target) -> Iterator[httpx.Client]:
    with served(target.warehouse.home) as address, httpx.Client(base_url=address) as client:
        client.timeout = httpx.Timeout(60)
        yield client


def raw(client: httpx.Client, path: str) -> httpx.Response:
    """Asks for a path as it stands; clients would put it in order."""
    url = client.base_url.copy_with(raw_path=path.encode())
    return client.send(client.build_request("GET", url))


def test_no_address_finds_a_file(target: Target, page: httpx.Client) -> None:
    import nicegui

    before = target.state()
    for attack in attacks.PATHS:
        path = attack.format(version=nicegui.__version__, home=target.warehouse.home)
        found = raw(page, path.replace(" ", "%20"))
        assert found.status_code in (400, 403, 404, 405, 422), path
        assert "root:" not in found.text, path
        assert "<script>hack" not in found.text or "text/plain" in found.headers["content-type"]
    assert target.state() == before


def test_no_address_gets_into_a_page(target: Target, page: httpx.Client) -> None:
    before = target.state()
    for attack in attacks.PAGES:
        found = raw(page, attack.format(home=target.warehouse.home).replace(" ", "%20"))
        # A slash within an id makes it an address of no page; what is said then is a page as well.
        assert found.status_code == (404 if "%2f" in attack else 200), attack
        assert "<script>hack" not in found.text, attack
        assert "<img src=x" not in found.text, attack
    assert target.state() == before


def test_nobody_elses_page_is_answered(page: httpx.Client) -> None:
    port = page.base_url.port
    for heads in attacks.OTHERS:
        given = {name: value.format(port=port) for name, value in heads.items()}
        assert page.get("/", headers=given).status_code in (400, 403), given
        with pytest.raises(InvalidStatus):
            connect(
                f"ws://127.0.0.1:{port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
                additional_headers=given,
            )


def test_no_other_way_of_asking(page: httpx.Client) -> None:
    for method in attacks.METHODS:
        for path in ("/", "/sql", "/architecture/x/net.py", "/_nicegui/client/1/upload/1"):
            assert page.request(method, path).status_code in (400, 403, 404, 405), (method, path)


def test_every_answer_keeps_browsers_in_check(page: httpx.Client) -> None:
    for path in ("/", "/sql", "/runs", "/architecture/x/net.py"):
        heads = page.get(path).headers
        assert "default-src 'self'" in heads["content-security-policy"]
        assert heads["x-content-type-options"] == "nosniff"
        assert heads["cross-origin-resource-policy"] == "same-origin"
