"""How near is near: ranks against an independent library, and neighbours that are known."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.spatial.distance import pdist, squareform

from cole_core.encodings import TextEncoding
from cole_core.encodings.vectors import Vectors
from cole_core.hashing import hash_text
from cole_core.language_models import specify
from flows.questions import nearness
from flows.questions.nearness import StoredTexts, read_stored_texts
from flows.questions.similar import SimilarRequest, similar
from flows.resolve.requests import AskedEmbeddings
from flows.running.server import LocalServer
from flows.stages.embed import EmbedRequest, embed
from flows.stages.render import RenderRequest, render
from tests.flows.conftest import SPACE, Cole, Small, make_small
from warehouse.neighbours import Rendered

SPEC = specify("minilm", precision="fp32").spec_id
AMONG = Rendered(SPACE, "code.expression", "none", SPEC)
NOTHING = "nothing here resembles this: its nearest is farther than 99 % of what is stored"
BLOCK = """import torch.nn as nn

class Shortcut(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.pad = nn.ZeroPad2d(1)
        self.body = nn.Sequential(nn.Conv2d(channels, channels, 3), nn.BatchNorm2d(channels))

    def forward(self, inputs):
        return inputs + self.body(self.pad(inputs))
"""


IN = ("--encoding", "code.expression")


def write_expressions(home: Path) -> None:
    """Adds the texts of `code.expression`, and their vectors."""
    render(RenderRequest(space="nasbench201", home=home, encoding=AMONG.encoding))
    options = AskedEmbeddings(precision="fp32")
    embed(EmbedRequest(space="nasbench201", home=home, encoding=AMONG.encoding, options=options))


@pytest.fixture(scope="module")
def made(made: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small warehouse with the texts of `code.expression`, which are all alike: a class."""
    home = tmp_path_factory.mktemp("expressions") / "home"
    shutil.copytree(made.home, home)
    write_expressions(home)
    return Small(home, made.table)


def asking(small: Small, what: str, **options: Any) -> dict[str, Any]:
    vectors = Vectors(encoding=AMONG.encoding)
    return similar(SimilarRequest(what=what, home=small.home, vectors=vectors, **options))


def text_of(native: str) -> str:
    encoding = SPACE.encoding("code.expression")
    assert isinstance(encoding, TextEncoding)
    return encoding.render(native)


def texts_of(small: Small) -> list[str]:
    """The distinct texts."""
    known = small.warehouse.architecture_vectors(SPACE, "code.expression", "none", SPEC)
    return list(dict.fromkeys(text_of(native) for native in known.natives))


def distinct(small: Small) -> np.ndarray:
    """The vectors of the distinct texts."""
    known = small.warehouse.architecture_vectors(SPACE, "code.expression", "none", SPEC)
    texts = [text_of(native) for native in known.natives]
    return known.vectors[[texts.index(text) for text in texts_of(small)]].astype(np.float64)


def unseen(small: Small, count: int, seed: int) -> list[tuple[str, str]]:
    """Stored cells, each with one of another form that one changed edge makes of it."""
    rng = np.random.default_rng(seed)
    stored = list(small.accuracies)
    forms = {SPACE.canonical_form(native) for native in stored}
    found: list[tuple[str, str]] = []
    while len(found) < count:
        parent = stored[rng.integers(len(stored))]
        mutant = SPACE.mutate(parent, rng)
        if SPACE.canonical_form(mutant) not in forms:
            found.append((parent, mutant))
    return found


def test_ranks_are_those_of_all_pairs(made: Small) -> None:
    vectors = distinct(made)
    pairs = pdist(vectors, "cosine")
    nearest = squareform(pairs) + np.diag([np.inf] * len(vectors))
    stored = read_stored_texts(made.warehouse, AMONG)
    assert len(stored.pairs) == len(pairs)
    np.testing.assert_allclose(stored.pairs, np.sort(pairs), atol=1e-9)
    np.testing.assert_allclose(stored.nearest, np.sort(nearest.min(axis=0)), atol=1e-9)
    # Between two pairs: at one of them, rounding says on which side it is.
    middle = float(np.sort(pairs)[len(pairs) // 2 :][:2].mean())
    for distance in (0.0, 0.001, middle, 0.1, 2.0):
        assert stored.nearer_than(distance) == pytest.approx((pairs > distance).mean())
        assert stored.farther_than(distance) == (nearest.min(axis=0) < distance).mean()
    found = asking(made, next(iter(made.accuracies)), k=50)
    assert found["nearness"]["pairs"] == len(pairs)
    for row in found["rows"]:
        expected = (pairs > row["distance"]).mean()
        assert row["nearer_than"] == pytest.approx(expected, abs=3 / len(pairs))
    ranks = [row["nearer_than"] for row in found["rows"]]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("looked_up", [25, 22])
def test_of_a_sample_the_nearest_is_looked_for_among_all(
    made: Small, monkeypatch: pytest.MonkeyPatch, looked_up: int
) -> None:
    vectors = distinct(made)
    hashes = [hash_text(text) for text in texts_of(made)]
    sample = sorted(range(len(hashes)), key=hashes.__getitem__)[:25]
    whole = squareform(pdist(vectors, "cosine")) + np.diag([np.inf] * len(vectors))
    first = whole[sample[:looked_up]]
    assert (first[:, sample].min(axis=1) > first.min(axis=1)).any()  # what a sample alone gives
    monkeypatch.setattr(nearness, "SAMPLE", 25)
    monkeypatch.setattr(nearness, "FEWEST", 22)
    monkeypatch.setattr(nearness, "PRODUCTS", looked_up * len(hashes))
    stored = read_stored_texts(made.warehouse, AMONG)
    np.testing.assert_allclose(stored.pairs, np.sort(pdist(vectors[sample], "cosine")), atol=1e-9)
    np.testing.assert_allclose(stored.nearest, np.sort(first.min(axis=1)), atol=1e-9)
    said = str(stored.warning("a pleasant evening by the sea", 10**6, False))
    assert "words are in none of 25 sampled texts" in said


def test_texts_of_other_encodings_are_nobodys_nearest(
    made: Small, tmp_path: Path, prefect_server: LocalServer
) -> None:
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    before = read_stored_texts(made.warehouse, AMONG).nearest
    render(RenderRequest(space="nasbench201", home=home, encoding="arch_str"))
    embed(
        EmbedRequest(
            space="nasbench201",
            home=home,
            encoding="arch_str",
            options=AskedEmbeddings(precision="fp32"),
        )
    )
    warehouse = Small(home, made.table).warehouse
    assert warehouse.vectors.count(SPEC) > made.warehouse.vectors.count(SPEC)
    np.testing.assert_array_equal(read_stored_texts(warehouse, AMONG).nearest, before)


def test_a_stored_text_finds_itself(made: Small) -> None:
    for native in list(made.accuracies)[::12]:
        text = text_of(native)
        found = asking(made, text, k=1, text=True)
        assert found["rows"][0]["text"] == text
        assert found["rows"][0]["distance"] < 1e-5
        assert found["rows"][0]["nearer_than"] > 0.999
        assert found["resembles"] is True
        assert found["warning"] is None


def test_a_twin_is_nearest(made: Small) -> None:
    stored = {}
    for native in made.accuracies:
        stored.setdefault(SPACE.canonical_form(native), native)
    twins = {
        SPACE.canonical_form(native): native
        for native in SPACE.enumerate()
        if native not in made.accuracies and SPACE.canonical_form(native) in stored
    }
    assert len(twins) >= 10
    for form, twin in list(twins.items())[:10]:
        row = asking(made, twin, k=1)["rows"][0]
        assert SPACE.canonical_form(row["native"]) == form
        assert row["twin"] is True
        assert row["distance"] < 1e-5


def test_what_one_edge_was_changed_of_is_nearer_than_others(made: Small) -> None:
    places, resembling = [], 0
    for parent, mutant in unseen(made, 30, seed=5):
        found = asking(made, mutant, k=59)
        natives = [row["native"] for row in found["rows"]]
        places.append(natives.index(parent) / len(natives))
        resembling += found["resembles"]
        assert found["warning"] is None
    # At random the parent would stand in the middle, and one in four in the first quarter.
    assert np.median(places) < 0.15
    assert np.mean(np.array(places) < 0.25) > 0.6
    assert resembling >= 26  # one in a hundred would be called unlike by chance


@pytest.mark.parametrize("what", ["a pleasant evening by the sea", "pool", BLOCK])
def test_what_resembles_nothing_is_said(made: Small, what: str) -> None:
    found = asking(made, what, text=True)
    assert found["resembles"] is False
    assert found["farther_than"] == 1.0
    assert "words are in none of them" in found["warning"]
    tokens = made.warehouse.read("embedded", **AMONG.parameters, spec_id=SPEC)["n_tokens"]
    more = "more" if what == BLOCK else "fewer"
    assert f"tokens are {more} than any has ({tokens.min()} to {tokens.max()})" in found["warning"]


RUN = ("--run", "--arguments", '{"channels": 8}')


def test_the_answer_says_what_was_read_and_how_near(
    cole: Cole, made: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short cut.py").write_text(BLOCK)
    code, out, err = cole("similar", "short cut.py", *RUN, "-k", 1, *IN, "--home", made.home)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "file short cut.py, class Shortcut, run, traced by fx"
    assert NOTHING in lines
    assert "farther than " in out
    # Traced it is a text of their language; its source as a text is not.
    assert not any(line.startswith("warning: ") for line in lines)
    code, text, _ = cole("similar", BLOCK, "--text", "-k", 1, *IN, "--home", made.home)
    assert any(
        line.startswith("warning: unlike the texts of code.expression")
        for line in text.splitlines()
    )
    assert "% of pairs" in out
    code, out, _ = cole(
        "similar", "short cut.py", *RUN, "-k", 1, *IN, "--home", made.home, "--json"
    )
    found = json.loads(out)
    assert found["read"] == "file short cut.py, class Shortcut, run, traced by fx"
    assert found["resembles"] is False
    native = next(iter(made.accuracies))
    code, out, _ = cole("similar", f" {native} ", "-k", 59, *IN, "--home", made.home)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "architecture of nasbench201"
    assert NOTHING not in lines
    assert out.count("nearer than ") - 1 + out.count("farther than ") == 59
    code, out, _ = cole("similar", text_of(native), "--text", "-k", 1, *IN, "--home", made.home)
    assert out.splitlines()[0] == "text"
    assert "nearer than 100 % of pairs" in out


def test_a_condition_does_not_change_what_resembles(made: Small) -> None:
    native = next(iter(made.accuracies))
    free = asking(made, native, k=3)
    far = asking(made, native, k=3, where="distance > 0.05")
    assert far["rows"][0]["distance"] > 0.05 > free["rows"][0]["distance"]
    assert far["farther_than"] == free["farther_than"]
    assert far["resembles"] is True


def test_too_few_texts_tell_no_ranks(
    cole: Cole, made: Small, tmp_path: Path, prefect_server: LocalServer
) -> None:
    table = tmp_path / "few.csv"
    pl.read_csv(made.table).head(8).write_csv(table)
    few = make_small(tmp_path / "home", table)
    write_expressions(few.home)
    code, out, _ = cole("similar", "the sea", "--text", *IN, "--home", few.home)
    assert code == 0
    assert NOTHING not in out
    assert "% of pairs" not in out
    found = asking(few, "the sea", text=True)
    assert found["nearness"] is found["resembles"] is None
    assert {row["nearer_than"] for row in found["rows"]} == {None}
    assert "fewer than any has" in found["warning"]


def test_what_a_text_is_warned_of() -> None:
    stored = StoredTexts("code", np.empty(0), np.empty(0), (10, 20), frozenset({"relu", "linear"}))
    assert stored.warning("relu(linear512, linear8)", 20, False) is None
    assert "it was cut to 20 tokens" in str(stored.warning("relu", 20, True))
    said = str(stored.warning("pool(relu, sum9)", 1_021, False))
    assert said.startswith("unlike the texts of code, so distances say less: ")
    assert "2 of its 3 words are in none of them" in said
    assert "its 1,021 tokens are more than any has (10 to 20)" in said
    assert "its 9 tokens are fewer than any has" in str(stored.warning("relu", 9, False))
