"""The network around a cell, as the benchmark trained it on each of its datasets.

Widths and layers are what its authors found for each dataset. They are nowhere in the package; the
numbers of parameters that it tells of all cells are of these (but for one in twenty on `physics`).
"""

from dataclasses import dataclass

from cole_core.errors import InputError
from cole_core.spaces.nasbenchgraph.cell import SKIP, Cell

_WEIGHTS = {"gat": 1, "gcn": 1, "gin": 1, "cheb": 2, "sage": 2, "arma": 2, "graph": 2, "fc": 1}
"""Matrices of each operation; each has one bias."""


@dataclass(frozen=True)
class Macro:
    """A dataset's network.

    Attributes:
        features: Of a node of the graph.
        classes: Of a node, or labels that are predicted together.
        hidden: Width of every operation.
        before: Whether a linear layer stands before the cell; else operations read the features.
        after: Whether the cell's outputs are brought to the hidden width, and to the classes by a
            linear layer after it.
    """

    features: int
    classes: int
    hidden: int
    before: bool = False
    after: bool = False

    def widths(self, cell: Cell) -> tuple[int, ...]:
        """Width of what each of the four nodes reads."""
        given = self.hidden if self.before else self.features
        return tuple(given if of_input else self.hidden for of_input in cell.reads_input)

    def parameters(self, cell: Cell) -> int:
        """Trainable parameters by arithmetic, batch norms that read nothing among them."""
        hidden = self.hidden
        total = (self.features + 1) * hidden if self.before else 0
        for width, operation in zip(self.widths(cell), cell.operations, strict=True):
            total += 2 * hidden  # scale and shift of the batch norm
            if operation != SKIP:
                total += _WEIGHTS[operation] * width * hidden + hidden
            if operation == "gat":
                total += 2 * hidden  # how much each end of an edge counts
            if operation == "arma":
                total += hidden * hidden  # ARMAConv has a second layer's, which one does not use
        joined = len(cell.outputs) * hidden + 1
        if self.after:
            return total + joined * hidden + (hidden + 1) * self.classes
        return total + joined * self.classes


MACROS = {
    "cora": Macro(1433, 7, 256, after=True),
    "citeseer": Macro(3703, 6, 256, after=True),
    "pubmed": Macro(500, 3, 128),
    "cs": Macro(6805, 15, 128, before=True),
    "physics": Macro(8415, 5, 256, before=True),
    "photo": Macro(745, 8, 128),
    "computers": Macro(767, 10, 64, before=True, after=True),
    "arxiv": Macro(128, 40, 128, after=True),
    "proteins": Macro(8, 112, 256, before=True, after=True),
}

DATASET = "cora"
"""Whose network is meant unless another is named."""


def macro_of(dataset: str) -> Macro:
    """The network of a dataset.

    Raises:
        InputError: The benchmark has no such dataset; lists those that it has.
    """
    if dataset not in MACROS:
        raise InputError(
            f"NAS-Bench-Graph has no dataset '{dataset}': choose one of {', '.join(MACROS)}"
        )
    return MACROS[dataset]
