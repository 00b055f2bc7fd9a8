"""Heads on stored vectors: trials that are stored, and heads that predict again."""

from dataclasses import replace

import numpy as np
import pytest

from cole_core.encodings.vectors import Vectors
from cole_core.language_models import specify
from cole_core.predictors import load_surrogate
from cole_core.statistics import kendall_tau
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from tests.flows.conftest import SIZE, SPACE, Small

ASKED = FitHeadsRequest(
    space="nasbench201",
    measured=Measured(dataset="cifar10"),
    vectors=Vectors(precision="fp32"),
    sizes=(20,),
    draws=2,
)


def test_training_stores_trials_and_a_head_that_predicts_again(small: Small) -> None:
    asked = replace(ASKED, home=small.home)
    summary = fit_heads(asked)
    assert summary["trials"] == 2
    assert summary["n_test"] == 6
    assert fit_heads(asked) == summary | {"trials": 0, "skipped": 2}
    stored = small.warehouse.sql("SELECT head_id, kendall_tau FROM heads")
    assert stored.height == 1
    path = small.warehouse.head_artifact(stored["head_id"][0])
    assert path is not None

    known = small.warehouse.architecture_vectors(
        SPACE, "code.bare", "none", specify("minilm", precision="fp32").spec_id
    )
    order = np.random.default_rng([0, 0]).permutation(SIZE)  # the first draw's split
    predicted = load_surrogate(path).predict(known.vectors[order[:6]])
    true = [small.accuracies[known.natives[row]] for row in order[:6]]
    assert kendall_tau(true, predicted) == pytest.approx(stored["kendall_tau"][0])


def test_training_on_a_structural_encoding_needs_no_embedding(small: Small) -> None:
    structural = Vectors(encoding="path")
    summary = fit_heads(
        replace(ASKED, home=small.home, vectors=structural, head="ridge", sizes=(20, 40), draws=1)
    )
    assert [row["n"] for row in summary["kendall_tau"]] == [20, 40]
