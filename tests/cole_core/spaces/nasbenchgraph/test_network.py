"""Networks: parameters as the benchmark counted them, and what the class text computes."""

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn
from torch.nn import functional

from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.spaces.nasbenchgraph import NASBenchGraph, parse
from cole_core.spaces.nasbenchgraph.macro import MACROS

SPACE = NASBenchGraph()
pytest.importorskip("torch_geometric")


def drawn(count: int) -> list[str]:
    rng = np.random.default_rng(5)
    return [SPACE.sample(rng) for _ in range(count)]


@pytest.mark.parametrize("dataset", MACROS)
def test_parameters_are_those_of_what_is_built(dataset: str) -> None:
    for native in drawn(6):
        built = SPACE.build(native, dataset).parameters()
        assert sum(each.numel() for each in built) == SPACE.parameter_count(native, dataset)


def test_parameters_are_those_that_the_benchmark_tells() -> None:
    """Of all networks on all datasets; on `physics` a few were trained with other widths."""
    table = read_evaluations("nas-bench-graph", SPACE).filter(pl.col("metric") == "parameters")
    for (dataset,), rows in table.group_by("dataset"):
        macro = MACROS[str(dataset)]
        counted = np.array([macro.parameters(parse(native)) for native in rows["native"]])
        right = np.isclose(counted / 1e6, rows["value"].to_numpy(), rtol=0, atol=5e-7).mean()
        assert right == 1 if dataset != "physics" else right > 0.94


@pytest.mark.parametrize("dataset", MACROS)
def test_a_network_scores_the_nodes_of_a_graph(dataset: str) -> None:
    macro = MACROS[dataset]
    for native in drawn(3):
        scores = SPACE.build(native, dataset)(torch.randn(9, macro.features), edges(9))
        assert scores.shape == (9, macro.classes)
        scores.square().mean().backward()


def test_the_class_text_computes_what_the_network_does() -> None:
    for native in drawn(25):
        names = {"torch": torch, "nn": nn, "F": functional}
        exec(SPACE.encoding("code.class").render(native), names)
        network, written = SPACE.build(native).eval(), names["Network"]().eval()
        weights = network.state_dict()
        written.load_state_dict({name: weights[name] for name in written.state_dict()})
        x, links = torch.randn(12, MACROS["cora"].features), edges(12)
        torch.testing.assert_close(written(x, links), network(x, links))


def test_messages_go_along_edges() -> None:
    """A node hears of others as far away as there are operations that pass messages on the way."""
    x = torch.zeros(4, MACROS["cora"].features)
    x[0] = 1
    chain = torch.tensor([[0, 1, 2], [1, 2, 3]])
    for native, reach in (("0,1,2,3|skip,skip,gin,gin", 2), ("0,1,2,3|skip,fc,sage,fc", 1)):
        network = SPACE.build(native).eval()
        changed = (network(x, chain) != network(torch.zeros_like(x), chain)).any(dim=1)
        assert changed.tolist() == [node <= reach for node in range(4)]


def test_an_unknown_dataset_is_refused() -> None:
    with pytest.raises(InputError, match="has no dataset 'imagenet': choose one of cora, "):
        SPACE.build(drawn(1)[0], "imagenet")


def edges(nodes: int) -> torch.Tensor:
    return torch.randint(0, nodes, (2, 4 * nodes))
