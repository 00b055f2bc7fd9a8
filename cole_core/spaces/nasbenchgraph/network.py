"""The benchmark's networks (Qin et al. 2022, section 3) in PyTorch and PyTorch Geometric."""

import torch
from torch import nn
from torch.nn.functional import dropout, relu
from torch_geometric.nn import (
    ARMAConv,
    ChebConv,
    GATConv,
    GCNConv,
    GINConv,
    GraphConv,
    MessagePassing,
    SAGEConv,
)

from cole_core.spaces.nasbenchgraph.cell import Cell
from cole_core.spaces.nasbenchgraph.macro import Macro


def make_operation(name: str, inputs: int, outputs: int) -> nn.Module:
    """The module of an operation; those that pass messages take edges beside node features.

    Two attention heads and Chebyshev polynomials of order two, as the benchmark has them.
    """
    if name == "gat":
        return GATConv(inputs, outputs // 2, heads=2)
    if name == "gin":
        return GINConv(nn.Linear(inputs, outputs))
    if name == "cheb":
        return ChebConv(inputs, outputs, K=2)
    if name == "skip":
        return nn.Identity()
    if name == "fc":
        return nn.Linear(inputs, outputs)
    made = {"gcn": GCNConv, "sage": SAGEConv, "arma": ARMAConv, "graph": GraphConv}[name]
    return made(inputs, outputs)


class Network(nn.Module):
    """A cell between the layers that a dataset has before and after it.

    Node 1's operation is the child `op_1`, with `norm_1` before it. What reads the features as
    they are is not normalised; its norm is there all the same, as the benchmark counts it.

    Args:
        cell: The architecture.
        macro: The dataset's network.
        rate: Of dropout before each operation. The benchmark had one for each dataset, which the
            package does not tell.
    """

    def __init__(self, cell: Cell, macro: Macro, rate: float = 0.0) -> None:
        super().__init__()
        hidden = macro.hidden
        self.cell, self.rate = cell, rate
        self.before = nn.Linear(macro.features, hidden) if macro.before else None
        for node, (operation, width) in enumerate(
            zip(cell.operations, macro.widths(cell), strict=True), start=1
        ):
            self.add_module(f"op_{node}", make_operation(operation, width, hidden))
            self.add_module(f"norm_{node}", nn.BatchNorm1d(hidden))
        joined = len(cell.outputs) * hidden
        self.join = nn.Linear(joined, hidden if macro.after else macro.classes)
        self.after = nn.Linear(hidden, macro.classes) if macro.after else None

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        """Scores (nodes, classes) from features (nodes, features) and edges (2, edges)."""
        x = dropout(x, self.rate, self.training)
        if self.before is not None:
            x = self.before(x)
        nodes = [x]
        reads_features = self.cell.reads_input if self.before is None else (False,) * 4
        for node, link in enumerate(self.cell.links, start=1):
            given = nodes[link]
            if not reads_features[node - 1]:
                given = relu(self.get_submodule(f"norm_{node}")(given))
                given = dropout(given, self.rate, self.training)
            operation = self.get_submodule(f"op_{node}")
            passes_messages = isinstance(operation, MessagePassing)
            nodes.append(operation(given, edge_index) if passes_messages else operation(given))
        x = self.join(relu(torch.cat([nodes[node] for node in self.cell.outputs], dim=1)))
        return x if self.after is None else self.after(x)
