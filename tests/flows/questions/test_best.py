"""`cole best`, by what was measured and by what a head predicts."""

import json

import pytest

from cole_core.language_models import specify
from cole_core.predictors import load_surrogate
from tests.flows.conftest import SPACE, Cole, Small


def test_best_by_measured_values(cole: Cole, questioned: Small) -> None:
    code, out, _ = cole(
        "best", "--dataset", "cifar10", "-k", 3, "--home", questioned.home, "--json"
    )
    assert code == 0
    rows = json.loads(out)["rows"]
    expected = sorted(questioned.accuracies.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert [(row["native"], row["value"]) for row in rows] == expected
    code, out, _ = cole("best", "--canonical", "-k", 60, "--home", questioned.home, "--json")
    forms = [SPACE.canonical_form(row["native"]) for row in json.loads(out)["rows"]]
    assert len(forms) == len(set(forms))
    assert set(forms) == {SPACE.canonical_form(native) for native in questioned.accuracies}


def test_best_by_a_stored_head(cole: Cole, questioned: Small) -> None:
    code, out, _ = cole("best", "--predicted", "-k", 60, "--home", questioned.home, "--json")
    assert code == 0
    found = json.loads(out)
    path = questioned.warehouse.head_artifact(found["head_id"])
    assert path is not None
    spec_id = specify("minilm", precision="fp32").spec_id
    known = questioned.warehouse.architecture_vectors(SPACE, "code.bare", "none", spec_id)
    predicted = dict(zip(known.natives, load_surrogate(path).predict(known.vectors), strict=True))
    values = [row["predicted"] for row in found["rows"]]
    assert values == sorted(values, reverse=True)
    for row in found["rows"]:
        assert row["predicted"] == pytest.approx(predicted[row["native"]])
        assert row["value"] == questioned.accuracies[row["native"]]
    code, out, _ = cole(
        *("best", "--predicted", "--head", found["head_id"][:6]),
        *("--home", questioned.home, "--json"),
    )
    assert json.loads(out)["head_id"] == found["head_id"]


def test_the_front_of_accuracy_and_size(cole: Cole, questioned: Small) -> None:
    sizes = {native: SPACE.parameter_count(native) for native in questioned.accuracies}
    where, most = "parameters < 1000000", 1_000_000
    for condition, among in (
        ((), list(sizes)),
        (("--where", where), [native for native, size in sizes.items() if size < most]),
    ):
        code, out, _ = cole(
            *("best", "--objective", "accuracy", "--objective", "parameters:min", *condition),
            *("--home", questioned.home, "--json"),
        )
        assert code == 0
        found = json.loads(out)
        assert found["among"] == len(among)
        value = questioned.accuracies
        expected = {
            one
            for one in among
            if not any(
                value[other] >= value[one]
                and sizes[other] <= sizes[one]
                and (value[other], sizes[other]) != (value[one], sizes[one])
                for other in among
            )
        }
        assert {row["native"] for row in found["rows"]} == expected
        assert found["architectures"] == len(expected) > 1
        for row in found["rows"]:
            assert row["parameters"] == sizes[row["native"]]
            assert row["accuracy"] == value[row["native"]]
        accuracies = [row["accuracy"] for row in found["rows"]]
        assert accuracies == sorted(accuracies, reverse=True)


def test_a_prediction_is_a_column_like_any_other(cole: Cole, questioned: Small) -> None:
    home = ("--home", questioned.home, "--json")
    code, out, _ = cole("best", "--predicted", "-k", 60, *home)
    assert code == 0
    predicted = {row["native"]: row["predicted"] for row in json.loads(out)["rows"]}
    middle = sorted(predicted.values())[len(predicted) // 2]
    code, out, _ = cole("best", "-k", 60, "--where", f"predicted_accuracy > {middle}", *home)
    assert code == 0
    kept = {row["native"] for row in json.loads(out)["rows"]}
    assert kept == {native for native, value in predicted.items() if value > middle}
    code, out, _ = cole(
        "best", "--objective", "predicted_accuracy", "--objective", "parameters", *home
    )
    assert code == 0
    for row in json.loads(out)["rows"]:
        assert row["predicted_accuracy"] == pytest.approx(predicted[row["native"]])
