"""The network as a class that runs: `code.class`."""

from cole_core.encodings.base import TextEncoding
from cole_core.spaces.nasbenchgraph import SKIP, Cell, parse
from cole_core.spaces.nasbenchgraph.macro import DATASET, macro_of

_CLASSES = {
    "arma": "ARMAConv",
    "cheb": "ChebConv",
    "gat": "GATConv",
    "gcn": "GCNConv",
    "gin": "GINConv",
    "graph": "GraphConv",
    "sage": "SAGEConv",
}
_HIDDEN = "hidden"


class Class(TextEncoding):
    """An attribute for each operation that is no skip, a line for each node.

    It is the network that the benchmark trained on `cora`, without norms that read nothing, and
    names its attributes as the network that is built does. It needs what it imports, and `torch`,
    `nn` and `F`.
    """

    name = "code.class"

    def _render(self, native: str, context: str) -> str:
        cell = parse(native)
        macro = macro_of(DATASET)
        imported = sorted({_CLASSES[name] for name in cell.operations if name in _CLASSES})
        lines = [
            *([f"from torch_geometric.nn import {', '.join(imported)}", ""] if imported else []),
            "class Network(nn.Module):",
            f"    def __init__(self, features={macro.features}, {_HIDDEN}={macro.hidden}, "
            f"classes={macro.classes}):",
            "        super().__init__()",
            *(f"        {line}" for line in _attributes(cell)),
            "",
            "    def forward(self, x, edge_index):",
            *(f"        {line}" for line in _nodes(cell)),
        ]
        return "\n".join(lines)


def _attributes(cell: Cell) -> list[str]:
    lines = []
    for node, (operation, of_input) in enumerate(
        zip(cell.operations, cell.reads_input, strict=True), start=1
    ):
        if not of_input:
            lines.append(f"self.norm_{node} = nn.BatchNorm1d({_HIDDEN})")
        if operation != SKIP:
            made = _operation(operation, "features" if of_input else _HIDDEN)
            lines.append(f"self.op_{node} = {made}")
    outputs = len(cell.outputs)
    joined = f"{outputs} * {_HIDDEN}" if outputs > 1 else _HIDDEN
    return [
        *lines,
        f"self.join = nn.Linear({joined}, {_HIDDEN})",
        f"self.after = nn.Linear({_HIDDEN}, classes)",
    ]


def _operation(name: str, inputs: str) -> str:
    if name == "fc":
        return f"nn.Linear({inputs}, {_HIDDEN})"
    if name == "gat":
        return f"GATConv({inputs}, {_HIDDEN} // 2, heads=2)"
    if name == "gin":
        return f"GINConv(nn.Linear({inputs}, {_HIDDEN}))"
    order = ", K=2" if name == "cheb" else ""
    return f"{_CLASSES[name]}({inputs}, {_HIDDEN}{order})"


def _nodes(cell: Cell) -> list[str]:
    """A line for each node, and the joined outputs; the input's name stands for skips of it."""
    names = ["x"]
    lines = []
    for node, (link, operation, of_input) in enumerate(
        zip(cell.links, cell.operations, cell.reads_input, strict=True), start=1
    ):
        given = names[link]
        if not of_input:
            given = f"F.relu(self.norm_{node}({given}))"
        if operation == SKIP and of_input:
            names.append(given)
            continue
        names.append(f"x{node}")
        edges = "" if operation == "fc" else ", edge_index"
        called = given if operation == SKIP else f"self.op_{node}({given}{edges})"
        lines.append(f"x{node} = {called}")
    outputs = [names[node] for node in cell.outputs]
    joined = f"torch.cat([{', '.join(outputs)}], dim=1)" if len(outputs) > 1 else outputs[0]
    return [*lines, f"return self.after(self.join(F.relu({joined})))"]
