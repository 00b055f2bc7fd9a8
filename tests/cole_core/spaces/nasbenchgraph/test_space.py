"""Native strings, mutations, vectors, texts and pictures of NAS-Bench-Graph."""

import ast
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cole_core.errors import InputError
from cole_core.spaces.nasbenchgraph import OPERATIONS, NASBenchGraph, parse, read, representative

SPACE = NASBenchGraph()
EXAMPLE = "0,1,1,2|gcn,cheb,gin,fc"  # the one of the package's documentation, as it sorts it

EXPRESSIONS = {
    EXAMPLE: "torch.cat([self.gin(self.gcn(x)), self.fc(self.cheb(self.gcn(x)))], dim=1)",
    "0,1,2,3|skip,skip,gcn,gat": "self.gat(self.gcn(x))",
    "0,1,1,1|gat,gat,gat,skip": (
        "torch.cat([self.gat(self.gat(x)), self.gat(self.gat(x)), self.skip(self.gat(x))], dim=1)"
    ),
}

REFUSED = {
    "0,1,2,1|gcn,gin,fc,cheb": "is in NAS-Bench-Graph as '0,1,1,2|gcn,gin,cheb,fc': write that",
    "0,0,0,0|skip,skip,skip,skip": "has skips alone",
    "0,0,0,0": "no '|' stands",
    "0,0,0|gcn,gcn,gcn,gcn": "links are 4, not 3",
    "0,0,0,0|gcn,gcn,gcn": "operations are 4, not 3",
    "0,2,0,0|gcn,gcn,gcn,gcn": "node 2 reads '2', but can read 0 to 1",
    "0,00,0,0|gcn,gcn,gcn,gcn": "node 2 reads '00'",
    "0,0,0,0|gcn,gcn,gcn,GCN": "unknown operation 'GCN'",
}


@pytest.mark.parametrize("native", REFUSED)
def test_what_is_no_native_string_is_refused(native: str) -> None:
    with pytest.raises(InputError) as caught:
        SPACE.validate(native)
    assert REFUSED[native] in str(caught.value)


def test_an_edit_changes_one_operation_or_link() -> None:
    """The mutant is a twin of a cell that differs from the given one in one place."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        cell = parse(SPACE.sample(rng))
        mutant = parse(SPACE.mutate(cell.format(), rng))
        near = set()
        for place in range(4):
            for name in OPERATIONS:
                operations = [*cell.operations]
                operations[place] = name
                near.add("|".join([",".join(map(str, cell.links)), ",".join(operations)]))
            for link in range(place + 1):
                links = [*cell.links]
                links[place] = link
                near.add("|".join([",".join(map(str, links)), ",".join(cell.operations)]))
        twins = {
            representative(read(each)) for each in near if set(read(each).operations) != {"skip"}
        }
        assert mutant in twins - {cell}


@pytest.mark.parametrize("native", EXPRESSIONS)
def test_expressions(native: str) -> None:
    assert SPACE.encoding("code.bare").render(native) == EXPRESSIONS[native]
    text = SPACE.encoding("code.expression").render(native)
    assert text.endswith(f"return {EXPRESSIONS[native]}")
    ast.parse(text)


def test_one_hot_vectors_say_links_and_operations() -> None:
    natives = list(SPACE.enumerate())[::97]
    vectors = SPACE.encoding("adjacency").encode(natives)
    assert vectors.shape == (len(natives), 2 + 3 + 4 + 4 * len(OPERATIONS))
    for native, vector in zip(natives, vectors, strict=True):
        cell, parts = parse(native), np.split(vector, [2, 5, 9, 18, 27, 36])
        assert [int(part.argmax()) for part in parts[:3]] == list(cell.links[1:])
        assert [OPERATIONS[part.argmax()] for part in parts[3:]] == list(cell.operations)
        assert (vector.sum(), vector.max()) == (7, 1)


def test_a_picture_has_a_plate_for_each_operation_that_counts() -> None:
    for native, plates in ((EXAMPLE, 4), ("0,1,2,3|skip,skip,gcn,gat", 2)):
        picture = ET.fromstring(SPACE.draw(native))
        assert sum(each.get("class") == "plate" for each in picture) == plates


def test_nothing_but_building_needs_pytorch_geometric() -> None:
    """In a process in which it cannot be imported."""
    code = f"""
import sys
sys.modules["torch_geometric"] = None
from cole_core.errors import InputError
from cole_core.spaces import get_space
space = get_space("nasbenchgraph")
for name in space.encoding_names:
    made = space.encoding(name)
    made.render({EXAMPLE!r}) if hasattr(made, "render") else made.encode([{EXAMPLE!r}])
space.draw({EXAMPLE!r}), space.parameter_count({EXAMPLE!r})
try:
    space.build({EXAMPLE!r})
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "networks of nasbenchgraph need PyTorch Geometric: pip install torch-geometric\n"
    )


def test_datasets_of_images_are_refused() -> None:
    with pytest.raises(InputError, match="take graphs, and a dataset has images"):
        NASBenchGraph.for_task((1, 8, 8), 10, {})


def test_what_the_space_lacks_is_no_encoding_of_it() -> None:
    assert SPACE.encoding_names == sorted(
        [*SPACE.encodings, "counts", "graf", "ngram"]  # by its normal form
    )
    with pytest.raises(InputError, match="unknown encoding of nasbenchgraph 'onnx'"):
        SPACE.encoding("onnx")
