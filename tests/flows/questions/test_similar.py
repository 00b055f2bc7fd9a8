"""`cole similar`, as a person or a script sees it."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings import TextEncoding
from cole_core.encodings.python_source import read_network
from cole_core.language_models import load, specify
from cole_core.spaces import get_space
from flows.questions.similar import SimilarRequest, similar
from tests.flows.conftest import SPACE, Cole, Small

OWN = '''
"""A network that somebody wrote."""
import os
os.system("touch ran-it")
raise SystemExit("this module was run")


class Block(nn.Module):
    def forward(self, x):
        return F.relu(x)


class Cell(nn.Module):
    block = Block()

    def forward(self, x):
        return x + self.conv3x3(x)
'''


def asking(small: Small, what: str, **options: Any) -> SimilarRequest:
    return SimilarRequest(what=what, home=small.home, **options)


def test_similar_by_native_string_and_by_id(cole: Cole, made: Small) -> None:
    native = next(iter(made.accuracies))
    id_ = SPACE.architecture_id(native)
    answers = []
    for what in (native, id_, id_[:8]):
        code, out, _ = cole("similar", what, "-k", "3", "--home", made.home, "--json")
        assert code == 0
        answers.append(json.loads(out)["rows"])
    assert answers[0] == answers[1] == answers[2]
    assert all(row["cifar10"] == made.accuracies[row["native"]] for row in answers[0])


def test_similar_with_a_condition_is_the_plain_loop(made: Small) -> None:
    native = next(iter(made.accuracies))
    spec_id = specify("minilm", precision="fp32").spec_id
    known = made.warehouse.architecture_vectors(SPACE, "code.expression", "none", spec_id)
    unit = known.vectors / np.linalg.norm(known.vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit[known.natives.index(native)]
    middle = float(np.median(list(made.accuracies.values())))
    expected = [
        known.natives[row]
        for row in np.argsort(distance, kind="stable")
        if made.accuracies[known.natives[row]] > middle and known.natives[row] != native
    ]
    found = similar(asking(made, native, k=5, where=f"cifar10 > {middle}", recall=True))
    assert [row["native"] for row in found["rows"]] == expected[:5]
    assert found["recall"] == 1.0
    canonical = SPACE.canonical_form(native)
    for row in found["rows"]:
        assert row["twin"] == (SPACE.canonical_form(row["native"]) == canonical)


def test_an_architecture_that_is_not_stored_and_its_text_find_the_same(made: Small) -> None:
    native = next(n for n in SPACE.enumerate() if n not in made.accuracies)
    encoding = get_space("nasbench201").encoding("code.expression")
    assert isinstance(encoding, TextEncoding)
    text = encoding.render(native)
    by_native = similar(asking(made, native, k=5))
    by_text = similar(asking(made, text, k=5, text=True))
    assert by_native["asked"] == "architecture"
    assert by_text["asked"] == by_text["read"] == "text"
    for one, other in zip(by_native["rows"], by_text["rows"], strict=True):
        assert one["distance"] == pytest.approx(other["distance"], abs=1e-5)
    vector = next(iter(load(specify("minilm", precision="fp32")).embed([text]))).vectors[0]
    nearest = made.warehouse.vectors.nearest(by_text["spec_id"], vector, 1)
    assert by_text["rows"][0]["distance"] == pytest.approx(nearest["distance"][0], abs=1e-5)


def test_a_file_is_parsed_and_never_run(
    cole: Cole,
    made: Small,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    modules = set(sys.modules)
    code, out, _ = cole("similar", "own.py", "-k", "2", "--home", made.home, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["asked"] == "file"
    assert found["read"] == "file own.py, class Cell"
    assert len(found["rows"]) == 2
    assert all(row["twin"] is None for row in found["rows"])
    assert [path.name for path in tmp_path.iterdir()] == ["own.py"]
    assert "own" not in set(sys.modules) - modules
    as_text = similar(asking(made, read_network(Path("own.py")).text, k=2, text=True))
    assert [row["native"] for row in as_text["rows"]] == [row["native"] for row in found["rows"]]
