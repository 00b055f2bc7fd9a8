"""Headings: what each is read as, and that nothing is read that is not sure."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cole_core.sources.headings import Measured, read_heading

HIGHER, LOWER = "higher", "lower"
SURE = {
    "cifar100_test_accuracy_200": ("cifar100", "accuracy", "test", 200, None, None, HIGHER),
    "CIFAR-10 Valid Acc 12": ("cifar10", "accuracy", "valid", 12, None, None, HIGHER),
    "acc_imagenet16_120_val": ("ImageNet16-120", "accuracy", "valid", None, None, None, HIGHER),
    "cifar10_test_acc": ("cifar10", "accuracy", "test", None, None, None, HIGHER),
    "cifar10_acc": ("cifar10", "accuracy", "unknown", None, None, None, HIGHER),
    "cifar10 testAcc": ("cifar10", "accuracy", "test", None, None, None, HIGHER),
    "cifar10_ptq_accuracy": ("cifar10", "ptq_accuracy", "unknown", None, None, None, HIGHER),
    "cifar10_test_acc_seed777_200": ("cifar10", "accuracy", "test", 200, 777, None, HIGHER),
    "flowers_test_top1_50_epochs": ("flowers", "accuracy", "test", 50, None, None, HIGHER),
    "flowers_val_acc_e50": ("flowers", "accuracy", "valid", 50, None, None, HIGHER),
    "mine_valid_accuracy_8": ("mine", "accuracy", "valid", 8, None, None, HIGHER),
    "cifar100 Top-1 (%)": ("cifar100", "accuracy", "unknown", None, None, "%", HIGHER),
    "cifar10 top-5 accuracy": ("cifar10", "top5_accuracy", "unknown", None, None, None, HIGHER),
    "cifar10 acc@1 percent": ("cifar10", "accuracy", "unknown", None, None, "%", HIGHER),
    "cifar10 valid error": ("cifar10", "error", "valid", None, None, None, LOWER),
    "cifar10_top1_err": ("cifar10", "error", "unknown", None, None, None, LOWER),
    "cifar10_test_top1_error": ("cifar10", "error", "test", None, None, None, LOWER),
    "cifar10_classification_error": (
        *("cifar10", "classification_error", "unknown", None, None, None, LOWER),
    ),
    "cifar10_int8_test_acc": ("cifar10", "int8_accuracy", "test", None, None, None, HIGHER),
    "cifar10_train_loss": ("cifar10", "loss", "train", None, None, None, LOWER),
    "cifar10_train_time_s": ("cifar10", "train_time", "unknown", None, None, "s", LOWER),
    "cifar10_edgegpu_latency": ("cifar10", "edgegpu_latency", "unknown", None, None, None, LOWER),
    "cifar10 latency [ms]": ("cifar10", "latency", "unknown", None, None, "ms", LOWER),
    "cifar10 fpga energy (mJ)": ("cifar10", "fpga_energy", "unknown", None, None, "mJ", LOWER),
    "cifar10 #Params (M)": ("cifar10", "parameters", "unknown", None, None, "M", LOWER),
    "cifar10_FLOPs": ("cifar10", "flops", "unknown", None, None, None, LOWER),
    "cifar10 model size (MB)": ("cifar10", "model_size", "unknown", None, None, "MB", LOWER),
    "cifar10 GPU hours": ("cifar10", "gpu_hours", "unknown", None, None, None, LOWER),
    "cifar10_synflow": ("cifar10", "synflow", "unknown", None, None, None, None),
    "cifar10_eyeriss_arithmetic_intensity": (
        *("cifar10", "eyeriss_arithmetic_intensity", "unknown", None, None, None, None),
    ),
}
NOT_SURE = {
    "val_accs": "accuracy, dataset not said: name it",
    "Top-1 (%)": "accuracy, dataset not said: name it",
    "accuracy": "accuracy, dataset not said: name it",
    "edgegpu_latency": "edgegpu_latency, dataset not said: name it",
    "svhn": "metric not said, dataset not said, 'svhn' is not understood: name it",
    "cifar10_test": "metric not said, cifar10: name it",
    "cifar10_test_acc_200_777": "accuracy, cifar10, '200' is not understood, '777' is not "
    "understood: name it",
    "test_acc_1": "accuracy, dataset not said, '1' is not understood: name it",
    "cifar10_acc_2": "accuracy, cifar10, '2' is not understood: name it",
    "cifar10_acc_gain": "accuracy, cifar10, 'gain' is not understood: name it",
    "cifar10_neg_loss": "loss, cifar10, 'neg' is not understood: name it",
    "cifar10_mean_acc": "accuracy, cifar10, 'mean' is not understood: name it",
    "best_test_acc": "accuracy, dataset not said, 'best' is not understood: name it",
    "run1_test_acc": "accuracy, dataset not said, 'run1' is not understood: name it",
    "two_words_test_acc": "two_words_accuracy, dataset not said: name it",
    "cifar10_train_val_acc": "accuracy, cifar10, two splits: name it",
    "cifar10_cifar100_acc": "accuracy, cifar100, two datasets: name it",
    "cifar10_acc_loss": "metric not said, cifar10, accuracy and loss in one heading: name it",
    "cifar10_test_acc_err": "metric not said, cifar10, accuracy and error in one heading: name it",
    "cifar10_squared_error": "error, cifar10, 'squared' is not understood: name it",
    "cifar10_standard_error": "error, cifar10, 'standard' is not understood: name it",
    "cifar10_mean_absolute_error": "error, cifar10, 'mean' is not understood, 'absolute' is not "
    "understood: name it",
    "position_test_error": "error, dataset not said, 'position' is not understood: name it",
    "int8_test_acc": "int8_accuracy, dataset not said: name it",
    "robust_val_acc": "robust_accuracy, dataset not said: name it",
    "balanced_test_accuracy": "balanced_accuracy, dataset not said: name it",
    "img_size": "metric not said, dataset not said, 'img' is not understood, 'size' is not "
    "understood: name it",
}
NOTHING = {
    "": "an index",
    "Unnamed: 0": "an index",
    "arch_index": "an index",
    "rank": "an index",
    "model id": "an index",
    "canonical_id": "an index",
    "std": "a standard deviation",
    "cifar10_test_acc_std": "a standard deviation",
    "cifar10 ± acc": "a standard deviation",
}


@pytest.mark.parametrize("heading", SURE)
def test_a_sure_heading_is_read(heading: str) -> None:
    assert read_heading(heading).measured == Measured(*SURE[heading])


@pytest.mark.parametrize("heading", NOT_SURE)
def test_what_is_not_sure_is_said_and_not_read(heading: str) -> None:
    found = read_heading(heading)
    assert found.line == NOT_SURE[heading]
    assert found.measured is None


@pytest.mark.parametrize("heading", NOTHING)
def test_what_is_no_measurement_is_told_apart(heading: str) -> None:
    found = read_heading(heading)
    assert (found.nothing, found.measured) == (NOTHING[heading], None)


def test_a_dataset_that_is_said_stands_in_where_the_heading_names_none() -> None:
    assert read_heading("val_accs", "cifar10").measured == Measured(
        "cifar10", "accuracy", "valid", direction="higher"
    )
    for heading, dataset, metric in (
        ("cifar100_acc", "cifar100", "accuracy"),
        ("int8_test_acc", "cifar10", "int8_accuracy"),
        ("robust_val_acc", "cifar10", "robust_accuracy"),
        ("balanced_test_accuracy", "cifar10", "balanced_accuracy"),
    ):
        found = read_heading(heading, "cifar10").measured
        assert found is not None
        assert (found.dataset, found.metric) == (dataset, metric)
    assert read_heading("test_acc_1", "cifar10").measured is None  # epoch, run or seed?
    assert read_heading("junk", "cifar10").measured is None
    found = read_heading("mine_test_acc", "cifar10")
    assert found.line == "accuracy, cifar10, 'mine' may name another dataset: name it"
    assert read_heading("mine_test_acc_50", "Mine").measured == Measured(
        "Mine", "accuracy", "test", 50, direction="higher"
    )


# Everything that may stand in a sure heading; one more word is one that is not understood.
DATASETS = ("cifar10", "cifar100", "ImageNet16-120")
METRICS = {
    **{"acc": "accuracy", "accuracy": "accuracy", "top1": "accuracy", "err": "error"},
    **{"error": "error", "loss": "loss", "latency": "latency", "energy": "energy"},
    **{"flops": "flops", "params": "parameters", "synflow": "synflow"},
}
SPLITS = {"train": "train", "val": "valid", "valid": "valid", "test": "test"}


@given(
    st.sampled_from(DATASETS),
    st.sampled_from(sorted(METRICS)),
    st.sampled_from(sorted(SPLITS)),
    st.integers(1, 999),
    st.permutations(range(3)),
    st.sampled_from(["_", " ", "-"]),
)
def test_known_words_are_read_in_any_order(
    dataset: str, metric: str, split: str, epochs: int, order: list[int], between: str
) -> None:
    words = [dataset, metric, split]
    heading = between.join([*(words[i] for i in order), f"{epochs}ep"])
    found = read_heading(heading).measured
    assert found is not None
    assert (found.dataset, found.metric, found.split, found.epochs) == (
        *(dataset, METRICS[metric], SPLITS[split], epochs),
    )


WORD = st.from_regex(r"[a-z]{1,8}[0-9]{0,2}", fullmatch=True)


@given(st.lists(WORD, min_size=1, max_size=4))
def test_nothing_is_read_without_words_for_dataset_and_metric(words: list[str]) -> None:
    """Of any words, those that are read have a metric, and a dataset: a known one, or one of one's
    own at the front with split and metric behind it."""
    heading = "_".join(words)
    found = read_heading(heading).measured
    if found is None:
        return
    known = {"accuracies", "accs", "acc1", "top5", "acc5", "param", "flop", "mem", *METRICS}
    assert known.intersection(words) or found.metric in heading or found.metric == "parameters"
    if found.dataset not in DATASETS:
        assert found.dataset == words[0]
        assert words[1] in {*SPLITS, "training", "validation"}


@given(WORD, st.sampled_from(["cifar10_test_acc_{}", "cifar10_{}", "{}_acc", "test_{}_acc", "{}"]))
def test_a_strange_word_makes_a_heading_unsure(word: str, form: str) -> None:
    assume(not re.search(r"\d$", word))
    known = read_heading(f"cifar10_{word}").measured is not None  # a metric or a unit
    unit = word in {"percent", "pct", "fraction", "e", "ep", "epoch", "epochs", "acc", "accs"}
    assume(not known and not unit)
    assert read_heading(form.format(word)).measured is None
