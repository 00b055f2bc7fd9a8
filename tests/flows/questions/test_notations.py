"""Architectures as people elsewhere write them: each form is read right, or refused with the way
to say it."""

import bz2
import csv
import json
import pickle
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from cole_core.encodings.vectors import Vectors
from cole_core.errors import InputError
from cole_core.sources import read_evaluations
from cole_core.spaces import get_space
from cole_core.spaces.notation import read_architecture
from cole_core.spaces.other_notation import AmbiguousError
from flows.questions.asked import Asked, Question, read_asked
from tests.cole_core.spaces.nasbench201.benchmarks.test_nats_bench import folder
from tests.flows.conftest import Cole, Small

CELL = "|nor_conv_1x1~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
# The same cell, written out by hand: 0→1 1×1, 0→2 none, 1→2 pool, 0→3 skip, 1→3 1×1, 2→3 3×3.
BY_SOURCE = ["nor_conv_1x1", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3"]
BY_TARGET = ["nor_conv_1x1", "none", "avg_pool_3x3", "skip_connect", "nor_conv_1x1", "nor_conv_3x3"]
NASLIB = (3, 1, 0, 4, 3, 2)
OFFICIAL = (2, 0, 4, 1, 2, 3)
ALIKE = ["none", "skip_connect", "none", "none", "nor_conv_3x3", "none"]
ALIKE_CELL = "|none~0|+|skip_connect~0|none~1|+|none~0|nor_conv_3x3~1|none~2|"
CLASSES = ["ReLUConvBN1x1", "Zero", "Identity", "AvgPool1x1", "ReLUConvBN1x1", "ReLUConvBN3x3"]
NODES = [
    [("nor_conv_1x1", 0)],
    [("none", 0), ("avg_pool_3x3", 1)],
    [("skip_connect", 0), ("nor_conv_1x1", 1), ("nor_conv_3x3", 2)],
]
EDGES = dict(zip(("0_1", "0_2", "1_2", "0_3", "1_3", "2_3"), BY_TARGET, strict=True))
CONFIGURATION = {"name": "infer.tiny", "C": 16, "N": 5, "arch_str": CELL, "num_classes": 10}

CONV = "routing[im2col(3,1,1), computation<linear(64)>, col2im]"
ONE = "routing[im2col(1,1,0), computation<linear(64)>, col2im]"
RESIDUAL = f"branching(2){{clone(2), {CONV}, {ONE}, add(2)}}"
TREE = f"sequential({RESIDUAL}, computation<norm>)"
SPACED = """
    sequential[
        branching(2)[
            clone(2),
            routing[im2col3k1s1p, computation[linear64], col2im],
            routing[im2col1k1s0p, linear64, col2im],
            add(2)
        ],
        computation[norm]
    ]"""
HEADS = (
    "sequential(routing[im2col(4,4,0), computation<linear(512)>, identity], "
    "branching(2){clone(2), routing[identity, computation<linear(64)>, perm(0,2,1)], "
    "computation<linear(64)>, dot_product(scaled)})"
)
FOUR = "branching(4){group(4,2), computation<relu>, cat(4,2)}"


def printed() -> str:
    """What Python prints of `TREE` in the authors' programs: dictionaries of functions."""

    def function(name: str) -> object:
        found = type("function", (), {"__repr__": lambda self: f"<function {name} at 0x7f3a>"})
        return found()

    def leaf(name: str) -> OrderedDict:
        return OrderedDict([("fn", function(name)), ("input_shape", [1, 3, 32, 32])])

    def module(name: str, **children: object) -> OrderedDict:
        inner = OrderedDict(children)
        return OrderedDict([("fn", function(f"{name}_module")), ("children", inner)])

    def routing(before: str) -> OrderedDict:
        return module(
            "routing",
            prerouting_fn=leaf(before),
            inner_fn=module("computation", computation_fn=leaf("linear64")),
            postrouting_fn=leaf("col2im"),
        )

    both = module(
        "branching",
        branching_fn=leaf("clone_tensor2"),
        inner_fn=[routing("im2col3k1s1p"), routing("im2col1k1s0p")],
        aggregation_fn=leaf("add_tensors"),
    )
    return repr(module("sequential", first_fn=both, second_fn=leaf("norm")))


# What is given, the notation that is named, the space; and the architecture.
READ: dict[str, tuple[str, str | None, str]] = {
    "native": (CELL, None, CELL),
    "blanks around plus signs": (CELL.replace("+", " + "), None, CELL),
    "blanks everywhere": (CELL.replace("|", " | ").replace("~", " ~ "), None, CELL),
    "line ends": (CELL.replace("+", "\n+"), None, CELL),
    "no plus signs": (CELL.replace("+", ""), None, CELL),
    "no plus signs, single bars": (CELL.replace("|+|", "|"), None, CELL),
    "no plus signs, blanks": (CELL.replace("+", " "), None, CELL),
    "a tuple of NASLib": (str(NASLIB), "naslib", CELL),
    "a list of NASLib": (str(list(NASLIB)), "naslib", CELL),
    "an array of NASLib": (str(np.array(NASLIB)), "naslib", CELL),
    "numbers of NASLib": ("3,1,0,4,3,2", "naslib", CELL),
    "names of NASLib": (str(tuple(BY_SOURCE)), "naslib", CELL),
    "classes of NASLib": (str(CLASSES), None, CELL),
    "classes of NASLib, named": (str(CLASSES), "naslib", CELL),
    "a tuple of AnalogNAS": (str(NASLIB), "analognas", CELL),
    "names of AnalogNAS": (json.dumps(BY_SOURCE), "analognas", CELL),
    "a tuple of HW-NAS-Bench": (str(OFFICIAL), "hw-nas-bench", CELL),
    "a list of HW-NAS-Bench": (str(list(OFFICIAL)), "hw-nas-bench", CELL),
    "names of HW-NAS-Bench": (json.dumps(BY_TARGET), "hw-nas-bench", CELL),
    "names without quotes": (f"[{', '.join(BY_TARGET)}]", "hw-nas-bench", CELL),
    "names that every order has alike": (str(ALIKE), None, ALIKE_CELL),
    "nodes": (str(NODES), None, CELL),
    "nodes in tuples": (str(tuple(map(tuple, NODES))), None, CELL),
    "nodes, the sources turned": (str([node[::-1] for node in NODES]), None, CELL),
    "edges": (str(EDGES), None, CELL),
    "edges in JSON": (json.dumps(EDGES), None, CELL),
    "edges as pairs": (
        str({(int(edge[0]), int(edge[2])): name for edge, name in EDGES.items()}),
        None,
        CELL,
    ),
    "a configuration": (str(CONFIGURATION), None, CELL),
    "a derivation": (TREE, None, TREE),
    "a derivation without blanks": (TREE.replace(" ", ""), None, TREE),
    "the authors' brackets": (SPACED, None, TREE),
    "the authors' brackets without blanks": ("".join(SPACED.split()), None, TREE),
    "the authors' brackets, named": (SPACED, "authors", TREE),
    "the authors' older brackets": (
        "sequential(branching(2)(clone_tensor2, routing[im2col3k1s1p, computation<linear64>, "
        "col2im], routing[im2col1k1s0p, computation<linear64>, col2im], add_tensors), "
        "computation<norm>)",
        None,
        TREE,
    ),
    "the authors' attention": (
        "sequential[routing[im2col4k4s0p, computation[linear512], identity], "
        "branching(2)[clone(2), routing[identity, computation[linear64], permute21], "
        "computation[linear64], dot_product(scaled=True)]]",
        None,
        HEADS,
    ),
    "the authors' permutations": (
        "sequential[routing[im2col(4, 4, 0),linear(512),identity],branching(2)[clone(2),"
        "routing[identity,computation[linear(64)],permute([0, 2, 1])],"
        "computation[linear(64)],scaled_dot_product]]",
        None,
        HEADS,
    ),
    "the authors' copies": (
        f"branching(4)[group_dim4s2d,{'computation[leakyrelu],' * 4}cat_tensors2d4t]",
        None,
        FOUR,
    ),
    "the authors' copies, once": ("branching(4)[group(4, 2), relu, cat(4, 2)]", None, FOUR),
    "the authors' dictionaries": (printed(), None, TREE),
}

NAME_IT = r"--notation naslib or analognas for \|.*, --notation hw-nas-bench for \|"
REFUSED: dict[str, tuple[str, str | None, str, str]] = {
    "a tuple": (str(NASLIB), None, "nasbench201", NAME_IT),
    "a list of numbers": (str(list(OFFICIAL)), None, "nasbench201", NAME_IT),
    "numbers alone": ("4 0 3 1 4 3", None, "nasbench201", NAME_IT),
    "names in some order": (str(BY_TARGET), None, "nasbench201", NAME_IT),
    "five of six": (
        "(3, 1, 0, 4, 3)",
        "naslib",
        "nasbench201",
        "give six operations, of the edges",
    ),
    "a number that is none": (
        "(3, 1, 0, 4, 3, 5)",
        "naslib",
        "nasbench201",
        "operation '5'.* 0 to 4",
    ),
    "an unknown name": (
        str([*BY_TARGET[:5], "conv_3x3"]),
        "hw-nas-bench",
        "nasbench201",
        "unknown operation 'conv_3x3': give .*names of none,",
    ),
    "classes in another order": (str(CLASSES), "hw-nas-bench", "nasbench201", "operation 'ReLU"),
    "an index": ("731", None, "nasbench201", "a number, .*say what it counts: --notation index"),
    "an index without a list": (
        "731",
        "index",
        "nasbench201",
        "no file that was taken in brings that list: 'cole ingest' the official file",
    ),
    "no index": ("seven", "index", "nasbench201", "no place in a list: give a number"),
    "an unknown notation": (CELL, "nasbench", "nasbench201", "knows naslib, analognas, hw-nas-be"),
    "a notation elsewhere": (TREE, "naslib", "einspace", "einspace knows authors"),
    "nodes, one edge twice": (
        str([*NODES[:2], [("none", 0), ("none", 1), ("none", 1)]]),
        None,
        "nasbench201",
        r"a list, .*write it.* as in \|",
    ),
    "not all edges": (str({"0_1": "none"}), None, "nasbench201", r"a dictionary, .* as in \|"),
    "a genotype": (
        "Genotype(normal=[('skip_connect', 0)], normal_concat=[2])",
        None,
        "nasbench201",
        "a genotype of DARTS, .*take it into a corpus, as a text column .*'cole ingest corpus:NAME",
    ),
    "an operation that the grammar has not": (
        "sequential[computation[linear96], computation[norm]]",
        "authors",
        "einspace",
        "the grammar has no operation 'linear96'; write",
    ),
    "copies that differ": (
        "branching(4)[clone(4), relu, relu, norm, relu, add(4)]",
        "authors",
        "einspace",
        r"branching\(4\) has copies of one module, not 4; write",
    ),
    "shapes that do not fit": (
        "sequential[routing[identity, norm, col2im], computation[norm]]",
        None,
        "einspace",
        "no einspace network",
    ),
    "brackets that do not fit": ("sequential[norm, relu)", "authors", "einspace", "closes none"),
}


def test_there_are_enough_of_them() -> None:
    assert len(READ) + len(REFUSED) >= 40


def ask(home: Path, what: str, notation: str | None, space: str) -> Asked:
    return read_asked(
        Small(home, home).warehouse, Question(what, space, notation=notation), Vectors()
    )


@pytest.mark.parametrize("case", READ)
def test_what_is_read_is_the_architecture(made: Small, case: str) -> None:
    what, notation, native = READ[case]
    space = "nasbench201" if native.startswith("|") else "einspace"
    asked = ask(made.home, what, notation, space)
    assert asked.native == native
    is_own = "".join(what.split()) == "".join(native.split())
    assert ("read as" in asked.read) != is_own
    if notation is not None:
        assert get_space(space).notations[notation].about in asked.read


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_how_to_say_it(made: Small, case: str) -> None:
    what, notation, space, said = REFUSED[case]
    with pytest.raises(InputError) as refused:
        ask(made.home, what, notation, space)
    assert "\n" not in str(refused.value)
    assert re.search(said, str(refused.value)), str(refused.value)


def test_the_orders_are_those_that_fit_the_accuracies(shared: Path) -> None:
    """AnalogNAS's tuples, read as it writes them, rank CIFAR-10 as NAS-Bench-201 does."""
    import polars as pl

    space = get_space("nasbench201")
    table = shared / "data" / "nasbench201_valid.parquet"
    if not table.is_file():
        pytest.skip(f"needs {table}")
    official = pl.read_parquet(table)
    native, value = (
        next(name for name, dtype in official.schema.items() if dtype == kind)
        for kind in (pl.String, pl.Float64)
    )
    theirs = dict(official.select(native, value).iter_rows())
    ours = read_evaluations("analog-nasbench", space).filter(metric="baseline_accuracy")
    ours = dict(ours.select("native", "value").iter_rows())
    orders = {"analognas": (0, 1, 2, 3, 4, 5), "wrong": (0, 1, 3, 2, 4, 5)}
    numbers = {
        "skip_connect": 0,
        "none": 1,
        "nor_conv_3x3": 2,
        "nor_conv_1x1": 3,
        "avg_pool_3x3": 4,
    }
    by_source = ((1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2))
    found = {}
    sample = sorted(theirs)[:: len(theirs) // 1_000]
    for name, order in orders.items():
        pairs = []
        for each in sample:
            edges = {
                (target, int(edge.split("~")[1])): numbers[edge.split("~")[0]]
                for target, node in enumerate(each.split("+"), start=1)
                for edge in node.strip("|").split("|")
            }
            written = [edges[edge] for edge in by_source]
            read = read_architecture(space, str([written[i] for i in order]), "analognas")
            assert read is not None
            pairs.append((theirs[each], ours[read.native]))
        found[name] = kendalltau(*np.array(pairs).T).statistic
    assert found["analognas"] > 0.85 > found["wrong"] + 0.1


@pytest.mark.usefixtures("prefect_server")
def test_a_file_brings_the_official_list(cole: Cole, tmp_path: Path) -> None:
    home, files = tmp_path / "home", tmp_path / "NATS-tss-v1_0-simple"
    folder(files)
    assert cole("ingest", "nasbench201", str(files), "--home", home)[0] == 0
    with bz2.open(files / "meta.pickle.pbz2") as stream:
        official = pickle.load(stream)["meta_archs"]
    for place, native in enumerate(official):
        asked = ask(home, str(place), "index", "nasbench201")
        assert (asked.native, asked.read) == (
            native,
            "architecture of nasbench201, read as a place in the official list",
        )
    with pytest.raises(InputError, match=r"no place in the official list of .*: give 0 to 1$"):
        ask(home, "2", "index", "nasbench201")
    table = tmp_path / "latencies.csv"
    table.write_text("index,cifar10_test_accuracy_200\n1,91.5\n0,90.25\n")
    code, out, _ = cole("ingest", "nasbench201", table, "--notation", "index", "--home", home)
    assert code == 0
    assert "index → the architecture of each row, read as a place in the official list" in out
    rows = Small(home, home).warehouse.sql(
        "SELECT native, value FROM evaluations WHERE source = 'latencies.csv' ORDER BY value"
    )
    assert rows.rows() == [(official[0], 90.25), (official[1], 91.5)]
    # An export takes the list along; with its source it goes.
    copy = tmp_path / "copy"
    assert cole("export", tmp_path / "export", "--home", home)[0] == 0
    assert cole("import", tmp_path / "export", "--home", copy)[0] == 0
    assert ask(copy, "1", "index", "nasbench201").native == official[1]
    assert cole("forget", files.name, "--yes", "--home", copy)[0] == 0
    with pytest.raises(InputError, match="no file that was taken in brings that list"):
        ask(copy, "1", "index", "nasbench201")


@pytest.mark.usefixtures("prefect_server")
def test_tables_of_other_notations(cole: Cole, tmp_path: Path) -> None:
    home, table = tmp_path / "home", tmp_path / "lists.csv"

    def write(*cells: str) -> None:
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["arch", "cifar10_test_accuracy_200"])
            rows.writerows([cell, 90 + place] for place, cell in enumerate(cells))

    write(str(NASLIB), str(OFFICIAL))
    code, _, err = cole("ingest", "nasbench201", table, "--home", home)
    assert code == 2
    assert re.search(rf"lists.csv: .*row 1: .*{NAME_IT}", err)
    write(str(NASLIB), "(1, 1, 1, 1, 1, 1)")
    code, out, _ = cole("ingest", "nasbench201", table, "--notation", "naslib", "--home", home)
    assert code == 0
    assert "arch → the architecture of each row, read as an operation list in NASLib's order" in out
    rows = Small(home, home).warehouse.sql("SELECT native, value FROM evaluations ORDER BY value")
    assert rows.rows() == [
        (CELL, 90.0),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 91.0),
    ]
    code, _, err = cole("ingest", "nasbench201", table, "--notation", "sorted", "--home", home)
    assert code == 2
    assert "--notation sorted: nasbench201 knows naslib" in err


def test_what_is_ambiguous_is_told_by_the_library_too() -> None:
    with pytest.raises(AmbiguousError, match="several ways: give --notation naslib"):
        read_architecture(get_space("nasbench201"), str(NASLIB))
