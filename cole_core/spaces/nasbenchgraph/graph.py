"""A cell as the graph that encodings of every space read."""

from cole_core.encodings.normal_form import Graph, Layer, Node, NormalForm, Ref
from cole_core.encodings.normal_form.ordering import ordered
from cole_core.spaces.nasbenchgraph.canonical import Tree, tree
from cole_core.spaces.nasbenchgraph.cell import Cell

_WIDTH = 16

# Each has weights of its own, a skip those of the norm before it.
_LAYERS = {name: Layer(f"{name.upper()}Conv") for name in ("gat", "gcn", "gin", "sage", "arma")}
_LAYERS |= {name: Layer(f"{name.title()}Conv") for name in ("cheb", "graph")}
_LAYERS |= {"fc": Layer("Linear", (("in_features", _WIDTH), ("out_features", _WIDTH)))}
_LAYERS |= {"skip": Layer("Skip")}


def normal_form(cell: Cell) -> NormalForm:
    """The normal form of a cell of one width, with the layers of PyTorch Geometric."""
    nodes = [Node("input")]
    layers: list[Layer] = []
    outputs: list[Ref] = []

    def add(readers: Tree, source: Ref) -> None:
        for reader in readers:
            made = Ref(len(nodes))
            nodes.append(Node("layer", (source,), layer=len(layers)))
            layers.append(_LAYERS[reader.operation])
            if reader.readers:
                add(reader.readers, made)
            else:
                outputs.append(made)

    add(tree(cell), Ref(0))
    output = outputs[0]
    if len(outputs) > 1:
        output = Ref(len(nodes))
        nodes.append(Node("cat", tuple(outputs), (("dim", 1),)))
    return NormalForm("fx", "", ordered(Graph(tuple(nodes), output, tuple(layers))))
