"""Plug-ins by name, with fake packages that register theirs as an installed one does."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cole_core.encodings import registry as encodings
from cole_core.errors import InputError
from cole_core.predictors import heads
from cole_core.registry import PluginWarning, Registry
from cole_core.search import searches
from cole_core.search.acquisitions import acquisitions
from cole_core.sources import sources
from cole_core.spaces import spaces

GROUPS = {each.group for each in (acquisitions, heads, searches, sources, spaces)} | {
    encodings.GROUP
}
OURS = {"list": "builtins:list", "fraction": "fractions:Fraction"}


def install(
    folder: Path, package: str, entry_points: dict[str, dict[str, str]], **modules: str
) -> None:
    """What pip leaves of a package: its modules, its name, its entry points by group."""
    information = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    (information / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
            for group, entries in entry_points.items()
        ),
        encoding="utf-8",
    )
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")


@dataclass
class Site:
    """A folder of packages on the path, and a group of entry points that no other test has."""

    folder: Path
    group: str

    def install(self, package: str, entries: dict[str, str], **modules: str) -> None:
        install(self.folder, package, {self.group: entries}, **modules)

    def registry(self, scopes: tuple[str, ...] = ("",)) -> Registry[object]:
        return Registry("gadget", self.group, OURS, scopes)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Modules that packages here bring are forgotten at the end."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield Site(tmp_path, f"test.{tmp_path.name}")
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) == str(tmp_path / f"{name}.py"):
            del sys.modules[name]


def test_a_name_stands_for_what_is_registered(site: Site) -> None:
    registry = site.registry()
    assert list(registry) == ["fraction", "list"]
    assert "list" in registry
    assert "tuple" not in registry
    assert registry.load("list") is list
    assert str(registry.create("fraction", numerator=2, denominator=6)) == "1/3"


def test_an_unknown_name_lists_the_known_ones(site: Site) -> None:
    site.install("acme", {"anvil": "anvil:Anvil"})
    for use in (site.registry().load, site.registry().create):
        with pytest.raises(
            InputError, match=r"^unknown gadget 'set': choose one of anvil, fraction, list$"
        ):
            use("set")


def test_an_unknown_parameter_lists_the_known_ones(site: Site) -> None:
    site.install(
        "acme", {"anvil": "anvil:Anvil", "rope": "anvil:rope", "free": "anvil:free"},
        anvil="""
class Anvil:
    def __init__(self, space, *, weight=1, colour='grey'):
        self.told = (space, weight, colour)
def rope(space):
    return space
def free(space, **parameters):
    return parameters
""",
    )  # fmt: skip
    registry = site.registry()
    assert registry.create("anvil", "desert", weight=3).told == ("desert", 3, "grey")  # type: ignore[attr-defined]
    with pytest.raises(
        InputError, match=r"^gadget 'anvil' has no parameter 'size': choose one of colour, weight$"
    ):
        registry.create("anvil", "desert", size=3)
    with pytest.raises(InputError, match=r"^gadget 'rope' has no parameter 'size': it takes none$"):
        registry.create("rope", "desert", size=3)
    assert registry.create("free", "desert", size=3) == {"size": 3}


def test_listing_imports_nothing_and_asking_imports_one(site: Site) -> None:
    site.install(
        "acme",
        {"anvil": "acme_anvil:Anvil", "rocket": "acme_rocket:Rocket"},
        acme_anvil="class Anvil: pass",
        acme_rocket="class Rocket: pass",
    )
    registry = site.registry()
    assert list(registry) == ["anvil", "fraction", "list", "rocket"]
    assert "rocket" in registry
    assert not {"acme_anvil", "acme_rocket"} & set(sys.modules)
    assert type(registry.create("anvil")).__name__ == "Anvil"
    assert "acme_anvil" in sys.modules
    assert "acme_rocket" not in sys.modules


BROKEN = {
    "a module that is not there": ("nowhere:Broken", "ModuleNotFoundError", ""),
    "a module without that": ("broken:Missing", "AttributeError", ""),
    "no attribute": ("broken", "AttributeError", ""),
    "a requirement that is not there": ("broken:Broken", "ModuleNotFoundError", "import no_such"),
    "no Python": ("broken:Broken", "SyntaxError", "class Broken"),
    "an error of its own": (
        "broken:Broken",
        "Unlicensed",
        "class Unlicensed(RuntimeError): pass\nraise Unlicensed('pay first')",
    ),
    "a file that is not there": ("broken:Broken", "FileNotFoundError", "open('/no/such')"),
}


@pytest.mark.parametrize(("place", "error", "code"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_imported_names_its_package_and_leaves_the_rest(
    site: Site, place: str, error: str, code: str
) -> None:
    site.install("broken-gadgets", {"broken": place}, broken=code)
    site.install("acme", {"anvil": "anvil:Anvil"}, anvil="class Anvil: pass")
    registry = site.registry()
    said = (
        rf"gadget 'broken' of the package broken-gadgets cannot be imported \({error}: .+\): "
        "repair or uninstall broken-gadgets"
    )
    with pytest.raises(InputError, match=said):
        registry.load("broken")
    with pytest.warns(PluginWarning, match=said) as caught:
        usable = registry.loadable()
    assert len(caught) == 1
    assert list(usable) == ["anvil", "fraction", "list"]
    assert usable["list"] is list
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert registry.load("anvil") is usable["anvil"]
        assert list(registry) == ["anvil", "broken", "fraction", "list"]


def test_our_own_fault_is_no_package_to_uninstall() -> None:
    """A traceback says where; there is nothing that people could do."""
    registry: Registry[object] = Registry("gadget", "test.none", {"ours": "fractions:Missing"})
    with pytest.raises(AttributeError, match="Missing"):
        registry.load("ours")


def test_a_name_of_ours_stays_ours_and_the_clash_is_told(site: Site) -> None:
    site.install("impostor", {"list": "builtins:tuple", "tuple": "builtins:tuple"})
    registry = site.registry()
    with pytest.warns(
        PluginWarning,
        match=rf"^the package impostor registers 'list' in {site.group}, and this project has "
        "that name: it is left out$",
    ) as caught:
        assert list(registry) == ["fraction", "list", "tuple"]
    assert len(caught) == 1
    assert registry.load("list") is list
    assert registry.load("tuple") is tuple


def test_of_two_packages_the_first_by_name_has_it(site: Site) -> None:
    site.install("zebra", {"stripe": "builtins:str"})
    site.install("aardvark", {"stripe": "builtins:int"})
    with pytest.warns(
        PluginWarning,
        match=r"the package zebra registers 'stripe' .* and the package aardvark has that name",
    ):
        found = site.registry().load("stripe")
    assert found is int


def test_scopes_say_which_entry_points_count(site: Site) -> None:
    site.install(
        "acme",
        {
            "desert/anvil": "builtins:int",
            "any/rope": "builtins:str",
            "sea/anchor": "builtins:float",
            "anvil": "builtins:bytes",
        },
    )
    desert = site.registry(("desert/", "any/"))
    assert list(desert) == ["anvil", "fraction", "list", "rope"]
    assert desert.load("anvil") is int
    sea = site.registry(("sea/", "any/"))
    assert list(sea) == ["anchor", "fraction", "list", "rope"]
    with pytest.raises(InputError, match="unknown gadget 'sea/anchor'"):
        sea.load("sea/anchor")


def test_something_of_ones_own_for_the_time_of_a_block(site: Site) -> None:
    def own(**parameters: int) -> dict[str, int]:
        return parameters

    registry = site.registry()
    with registry.registered("list", tuple), registry.registered("own", own):
        assert registry.create("list") == ()
        assert registry.create("own", size=1) == {"size": 1}
        assert list(registry) == ["fraction", "list", "own"]
    assert registry.create("list") == []
    assert "own" not in registry

    def fails() -> None:
        with registry.registered("own", own):
            raise KeyError("in the block")

    with pytest.raises(KeyError, match="in the block"):
        fails()
    assert "own" not in registry


PLUGIN = '''
import numpy as np
import polars as pl
from cole_core.encodings import TextEncoding, VectorEncoding
from cole_core.sources.base import Source
from cole_core.predictors.linear import RidgeHead
from cole_core.search.random_search import RandomSearch
from cole_core.spaces.base import Roles, SearchSpace

class Bits(SearchSpace):
    """Strings of four bits."""
    name = "bits"
    encodings = {"spelled": "plugged:Spelled"}
    roles = Roles(reference="spelled")
    size = 16
    def validate(self, native): assert len(native) == 4
    def enumerate(self): return (f"{number:04b}" for number in range(16))
    def sample(self, rng): return f"{rng.integers(16):04b}"
    def mutate(self, native, rng, edits=1): return self.sample(rng)
    def canonical_form(self, native): return native
    def build(self, native): raise NotImplementedError

class Spelled(TextEncoding):
    name = "spelled"
    def _render(self, native, context): return " ".join(native)

class Reversed(TextEncoding):
    name = "reversed"
    def _render(self, native, context): return " ".join(reversed(native))

class Length(VectorEncoding):
    name = "length"
    def encode(self, natives): return np.array([[len(n)] for n in natives], np.float32)

class Head(RidgeHead):
    name = "plugged"

class Search(RandomSearch):
    name = "plugged"

class Ledger(Source):
    name, about = "ledger", "ledger, of the package plugged"
    def recognises(self, origin): return origin == "ledger"
    def read(self, origin, space): return pl.DataFrame({"native": list(space.enumerate())})

def middle(mean, std, best, weight, rng): return -abs(mean - best)
'''
ENTRIES = {
    "cole.spaces": {"bits": "plugged:Bits"},
    "cole.encodings": {"any/length": "plugged:Length", "bits/reversed": "plugged:Reversed"},
    "cole.heads": {"plugged": "plugged:Head"},
    "cole.searches": {"plugged": "plugged:Search"},
    "cole.acquisitions": {"middle": "plugged:middle"},
    "cole.sources": {"ledger": "plugged:Ledger"},
}
USE = """
import sys
import numpy as np
from cole_core.sources import read_evaluations
from cole_core.predictors import make_surrogate
from cole_core.search import make_algorithm
from cole_core.search.acquisitions import get_acquisition
from cole_core.encodings.registry import GENERIC
from cole_core.spaces import get_space, spaces

assert list(spaces) == ["bits", "einspace", "nasbench201", "nasbenchgraph"]
assert "plugged" not in sys.modules
bits, cells = get_space("bits"), get_space("nasbench201")
assert bits.encoding_names == sorted([*GENERIC, "length", "reversed", "spelled"])
assert bits.encoding("reversed").render("0010") == "0 1 0 0"
assert cells.encoding("length").encode(["abc"]).tolist() == [[3.0]]
assert "reversed" not in cells.encoding_names
X = np.random.default_rng(0).normal(size=(20, 3))
plain = {"fitted_on": "labelled", "reduction": "none", "target": "standard"}
surrogate = make_surrogate("plugged", **plain).fit(X, X[:, 0])
assert abs(surrogate.predict(X) - X[:, 0]).max() < 0.1
assert make_algorithm("plugged").name == "plugged"
assert get_acquisition("middle")(2.0, 0.0, 5.0, 0.0, None) == -3.0
assert read_evaluations("ledger", bits).height == 16
"""


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A program with the packages of a folder installed beside ours."""
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_adds_one_of_each_kind(tmp_path: Path) -> None:
    assert set(ENTRIES) == GROUPS
    install(tmp_path, "plugged", ENTRIES, plugged=PLUGIN)
    done = run(tmp_path, USE)
    assert (done.returncode, done.stderr) == (0, "")


STILL = """
from cole_core.sources import read_evaluations
from cole_core.predictors import heads, make_surrogate
from cole_core.search import make_algorithm
from cole_core.search.acquisitions import get_acquisition
from cole_core.spaces import get_space, spaces

assert "wrecked" in spaces and "wrecked" in heads
space = get_space("nasbench201")
assert "wrecked" in space.encoding_names
for name in space.encoding_names:
    if name != "wrecked":
        space.encoding(name)
make_surrogate("ridge"), make_algorithm("bananas"), get_acquisition("ucb")
print(read_evaluations("analog-nasbench", space).height)
"""


def test_a_broken_package_breaks_nothing_else(tmp_path: Path) -> None:
    names = dict.fromkeys(GROUPS, "wrecked") | {"cole.encodings": "any/wrecked"}
    entries = {group: {name: "wrecked:It"} for group, name in names.items()}
    install(tmp_path, "wrecked", entries, wrecked="raise RuntimeError('lost its key')")
    done = run(tmp_path, STILL)
    assert (done.returncode, done.stdout) == (0, "78125\n"), done.stderr
    (told,) = (line for line in done.stderr.splitlines() if "Warning" in line)  # all are asked
    assert (
        "PluginWarning: source 'wrecked' of the package wrecked cannot be imported "
        "(RuntimeError: lost its key): repair or uninstall wrecked"
    ) in told
