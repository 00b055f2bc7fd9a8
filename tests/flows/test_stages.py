"""Each stage does what is missing, says what it skipped, and is a no-op the second time."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cole_core.encodings import TextEncoding
from cole_core.errors import InputError
from cole_core.language_models import load, specify
from cole_core.predictors import load_surrogate
from cole_core.spaces import get_space
from cole_core.statistics import kendall_tau
from flows.resolve.requests import Measured, Vectors
from flows.stages.embed import embed
from flows.stages.enumerate import enumerate_architectures
from flows.stages.fit_heads import train
from flows.stages.ingest import ingest
from flows.stages.render import render
from flows.stages.report import report
from flows.stages.search import search
from tests.cole_core.language_models.zoo import make_model
from tests.flows.conftest import SIZE, SPACE, Small

FP32 = {"precision": "fp32"}
CIFAR10 = Measured(dataset="cifar10")
VECTORS = Vectors(**FP32)


def test_sampling_is_seeded_and_adds_what_is_new(small: Small) -> None:
    first = enumerate_architectures(str(small.home), "nasbench201", samples=40, seed=3)
    assert first["architectures"] + first["skipped"] == 40
    again = enumerate_architectures(str(small.home), "nasbench201", samples=40, seed=3)
    assert again == {"architectures": 0, "skipped": 40}
    stored = small.warehouse.architectures(SPACE)
    assert stored["position"].to_list() == list(range(SIZE + first["architectures"]))


def test_ingest_takes_the_table_as_it_is(small: Small) -> None:
    stored = small.warehouse.sql("SELECT native, value, epochs, dataset, source FROM evaluations")
    assert dict(stored.select("native", "value").iter_rows()) == small.accuracies
    assert stored.select("epochs", "dataset", "source").unique().rows() == [
        (200, "cifar10", "mine.csv")
    ]
    again = ingest(str(small.home), "nasbench201", str(small.table))
    assert again == {"evaluations": 0, "skipped": SIZE, "new_architectures": 0}


def test_ingest_of_changed_values_changes_nothing(small: Small, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    pl.read_csv(small.table).with_columns(pl.col("cifar10_test_accuracy_200") * 0.5).write_csv(
        table
    )
    before = small.warehouse.status()
    with pytest.raises(InputError, match="--source"):
        ingest(str(small.home), "nasbench201", str(table))
    assert small.warehouse.status() == before
    added = ingest(str(small.home), "nasbench201", str(table), source="second run")
    assert added["evaluations"] == SIZE


def test_vectors_are_those_of_the_texts(small: Small) -> None:
    """From the warehouse's pool back to the language model, without the flow between."""
    encoding = get_space("nasbench201").encoding("code.expression")
    assert isinstance(encoding, TextEncoding)
    specification = specify("minilm", precision="fp32")
    pool = small.warehouse.pool(SPACE, "code.expression", "none", specification.spec_id)
    texts = [encoding.render(native) for native in pool.natives]
    alone = np.zeros_like(pool.vectors)
    for batch in load(specification).embed(texts):
        alone[batch.indices] = batch.vectors
    assert len(pool.natives) == SIZE
    np.testing.assert_allclose(pool.vectors, alone, atol=1e-4)


def test_embedding_again_embeds_nothing(small: Small) -> None:
    again = embed(str(small.home), "nasbench201", **FP32)
    assert again["embedded"] == 0
    assert again["skipped"] == small.warehouse.texts(SPACE, "code.expression", "none").height


def test_new_architectures_embed_just_their_texts(small: Small) -> None:
    before = set(small.warehouse.texts(SPACE, "code.expression", "none")["text_hash"])
    enumerate_architectures(str(small.home), "nasbench201", samples=25, seed=1)
    render(str(small.home), "nasbench201")
    after = set(small.warehouse.texts(SPACE, "code.expression", "none")["text_hash"])
    summary = embed(str(small.home), "nasbench201", **FP32)
    assert summary["embedded"] == len(after - before)
    assert summary["skipped"] == len(before)


def test_another_specification_leaves_the_first_alone(small: Small) -> None:
    first = specify("minilm", precision="fp32").spec_id
    dataset = small.warehouse.vectors.dataset(first)
    assert dataset is not None
    version = dataset.version
    summary = embed(str(small.home), "nasbench201", pooling="mean", **FP32)
    assert summary["embedded"] > 0
    assert summary["spec_id"] != first
    assert small.warehouse.vectors.dataset(first).version == version  # type: ignore[union-attr]


def test_cut_texts_are_counted_and_flagged(small: Small) -> None:
    whole = dict(small.warehouse.sql("SELECT text_hash, n_tokens FROM embeddings").iter_rows())
    summary = embed(str(small.home), "nasbench201", max_length=60, **FP32)
    rows = small.warehouse.sql(
        "SELECT text_hash, n_tokens, truncated FROM embeddings "
        f"WHERE spec_id = '{summary['spec_id']}'"
    )
    for text_hash, n_tokens, truncated in rows.iter_rows():
        assert n_tokens == min(whole[text_hash], 60)
        assert truncated == (whole[text_hash] > 60)
    assert 0 < summary["truncated"] == rows["truncated"].sum() < summary["embedded"]


def test_long_contexts_are_read_in_windows(small: Small) -> None:
    render(str(small.home), "nasbench201", "code.exclude_helper", "network")
    summary = embed(
        str(small.home), "nasbench201", "code.exclude_helper", context="network", **FP32
    )
    assert summary["truncated"] == 0
    assert summary["tokens"] > 512 * summary["embedded"]
    pool = small.warehouse.pool(SPACE, "code.exclude_helper", "network", summary["spec_id"])
    assert len(np.unique(pool.vectors.round(5), axis=0)) == summary["embedded"]


def test_training_stores_trials_and_a_head_that_predicts_again(small: Small) -> None:
    arguments = {"measured": CIFAR10, "vectors": VECTORS, "sizes": [20], "draws": 2}
    summary = train(str(small.home), "nasbench201", **arguments)
    assert summary["trials"] == 2
    assert summary["n_test"] == 6
    assert train(str(small.home), "nasbench201", **arguments) == summary | {
        "trials": 0,
        "skipped": 2,
    }
    stored = small.warehouse.sql("SELECT head_id, kendall_tau FROM heads")
    assert stored.height == 1
    path = small.warehouse.head_artifact(stored["head_id"][0])
    assert path is not None

    pool = small.warehouse.pool(
        SPACE, "code.expression", "none", specify("minilm", precision="fp32").spec_id
    )
    order = np.random.default_rng([0, 0]).permutation(SIZE)  # the first draw's split
    predicted = load_surrogate(path).predict(pool.vectors[order[:6]])
    true = [small.accuracies[pool.natives[row]] for row in order[:6]]
    assert kendall_tau(true, predicted) == pytest.approx(stored["kendall_tau"][0])


def test_training_on_a_structural_encoding_needs_no_embedding(small: Small) -> None:
    summary = train(
        str(small.home),
        "nasbench201",
        CIFAR10,
        Vectors(encoding="path"),
        head="ridge",
        sizes=[20, 40],
        draws=1,
    )
    assert [row["n"] for row in summary["kendall_tau"]] == [20, 40]


@pytest.mark.parametrize("algorithm", ["bananas", "random_search", "regularized_evolution"])
def test_a_search_is_continued_and_never_repeated(small: Small, algorithm: str) -> None:
    arguments = {"measured": CIFAR10, "vectors": VECTORS, "algorithm": algorithm, "seeds": [5]}
    short = search(str(small.home), "nasbench201", budget=13, **arguments)
    assert (short["evaluations"], short["skipped"]) == (13, 0)
    longer = search(str(small.home), "nasbench201", budget=25, **arguments)
    assert (longer["evaluations"], longer["skipped"]) == (12, 13)
    assert longer["searches"][0]["search_id"] == short["searches"][0]["search_id"]
    again = search(str(small.home), "nasbench201", budget=25, **arguments)
    assert (again["evaluations"], again["skipped"]) == (0, 25)

    steps = small.warehouse.sql("SELECT * FROM searches ORDER BY step")
    assert steps["step"].to_list() == list(range(1, 26))
    assert steps["value"].to_list() == [small.accuracies[native] for native in steps["native"]]
    assert steps["value"].cum_max().to_list() == steps["best_so_far"].to_list()
    canonical = {SPACE.canonical_form(native) for native in steps["native"]}
    assert len(canonical) == 25


def test_a_continued_search_is_the_undisturbed_one(small: Small) -> None:
    arguments = {"measured": CIFAR10, "vectors": VECTORS, "seeds": [7]}
    search(str(small.home), "nasbench201", budget=12, **arguments)
    search(str(small.home), "nasbench201", budget=30, **arguments)
    continued = small.warehouse.sql("SELECT native FROM searches ORDER BY step")
    other = Small(small.home.with_name("other"), small.table)
    ingest(str(other.home), "nasbench201", str(other.table))
    render(str(other.home), "nasbench201")
    embed(str(other.home), "nasbench201", **FP32)
    search(str(other.home), "nasbench201", budget=30, **arguments)
    undisturbed = other.warehouse.sql("SELECT native FROM searches ORDER BY step")
    assert continued.equals(undisturbed)


def test_report_holds_what_was_done_and_fetches_nothing(small: Small) -> None:
    train(str(small.home), "nasbench201", CIFAR10, VECTORS, sizes=[20], draws=2)
    found = search(str(small.home), "nasbench201", CIFAR10, VECTORS, budget=12)
    summary = report(str(small.home), "nasbench201")
    html = Path(summary["report"]).read_text()
    assert found["searches"][0]["best"] in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert max(small.accuracies, key=small.accuracies.__getitem__) in html  # a best cell


def test_a_language_model_of_ones_own_by_its_path(small: Small, tmp_path: Path) -> None:
    path = str(make_model("bert", tmp_path / "my-model"))
    summary = embed(str(small.home), "nasbench201", lm=path, pooling="mean", **FP32)
    assert summary["embedded"] > 0
    trained = train(
        *(str(small.home), "nasbench201", CIFAR10),
        Vectors(lm=path, pooling="mean", **FP32),
        sizes=[20],
        draws=1,
    )
    assert trained["trials"] == 1


def test_a_report_is_written_again_when_there_is_something_new(small: Small) -> None:
    first = report(str(small.home), "nasbench201", CIFAR10)
    path = Path(first["report"])
    written = path.stat().st_mtime_ns
    assert report(str(small.home), "nasbench201", CIFAR10)["skipped"] == 1
    assert path.stat().st_mtime_ns == written
    search(str(small.home), "nasbench201", CIFAR10, VECTORS, budget=10)
    assert report(str(small.home), "nasbench201", CIFAR10)["reports"] == 1
    path.unlink()
    assert report(str(small.home), "nasbench201", CIFAR10)["reports"] == 1


def test_every_row_knows_its_run(small: Small) -> None:
    runs = small.warehouse.sql("SELECT run_id, flow FROM runs WHERE ended_at IS NOT NULL")
    flow_of = dict(runs.iter_rows())
    for view, flow in (
        ("architectures", "ingest"),
        ("evaluations", "ingest"),
        ("renderings", "render"),
        ("embeddings", "embed"),
    ):
        ids = small.warehouse.sql(f"SELECT DISTINCT run_id FROM {view}")["run_id"]
        assert {flow_of[id_] for id_ in ids} == {flow}
