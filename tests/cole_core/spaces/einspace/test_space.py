"""einspace without PyTorch: derivations, shapes, sampling, edits, canonical forms."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cole_core.errors import InputError
from cole_core.spaces import get_space
from cole_core.spaces.einspace import Einspace
from cole_core.spaces.einspace.grammar import KINDS, MODULES, OPERATIONS, SEQUENTIAL
from cole_core.spaces.einspace.inference import sites
from cole_core.spaces.einspace.sampling import Bounds, draw
from cole_core.spaces.einspace.shapes import Flow, State
from cole_core.spaces.einspace.tree import depth_of, modules_of, parse

RELU = "computation<relu>"
CONVOLUTION = "routing[im2col(3,1,1), computation<linear(64)>, col2im]"
EXAMPLES = (  # the notation of the design page
    f"sequential({RELU}, computation<norm>)",
    f"branching(2){{clone(2), {RELU}, {CONVOLUTION}, cat(2,1)}}",
    f"branching(4){{group(4,2), {RELU}, cat(4,1)}}",
    CONVOLUTION,
)
SPACES = (Einspace(), Einspace(input_shape=(1, 8, 8)), Einspace(input_shape=(3, 64, 32), classes=7))


def samples(space: Einspace, number: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(number)]


SAMPLES = samples(SPACES[0], 300)


def test_the_grammar_is_the_papers() -> None:
    assert sum(MODULES["network"].values()) == pytest.approx(1)
    assert sum(MODULES["module"].values()) == pytest.approx(1)
    children = sum(kind.modules * weight for kind, weight in MODULES["module"].items())
    assert children == pytest.approx(0.68 * 13 / 9)  # barely below one
    counts = {nonterminal: len(operations) for nonterminal, operations in OPERATIONS.items()}
    assert counts == {
        **{f"branching_fn({k})": 4 for k in (2, 4, 8)},
        "aggregation_fn(2)": 6,
        **{f"aggregation_fn({k})": 4 for k in (4, 8)},
        "prerouting_fn": 14,
        "postrouting_fn": 8,
        "computation_fn": 13,
    }


@pytest.mark.parametrize("native", [*EXAMPLES, *SAMPLES[:50]])
def test_format_undoes_parse(native: str) -> None:
    root = parse(native)
    assert root.text == native
    assert parse(root.text) == root
    assert hash(parse(native)) == hash(root)
    assert repr(root) == f"Module({native!r})"


def test_a_tree_is_what_is_written() -> None:
    root = parse(f"sequential({CONVOLUTION}, {RELU})")
    assert root.kind is SEQUENTIAL
    convolution, relu = root.children
    assert [getattr(child, "text", None) for child in convolution.children] == [
        "im2col(3,1,1)",
        "computation<linear(64)>",
        "col2im",
    ]
    assert relu.text == RELU
    assert (modules_of(root), depth_of(root)) == (4, 3)


@given(st.data())
def test_a_string_with_one_character_changed_reads_as_itself_or_not_at_all(
    data: st.DataObject,
) -> None:
    native = data.draw(st.sampled_from(SAMPLES))
    position = data.draw(st.integers(0, len(native) - 1))
    character = data.draw(st.sampled_from("()[]{}<>, 0123abx") | st.just(""))
    changed = native[:position] + character + native[position + 1 :]
    try:
        read = parse(changed)
    except InputError:
        return
    assert read.text == changed


@pytest.mark.parametrize(
    ("native", "message"),
    [
        ("", "at character 1 stands the end where a network (one of sequential, branching(2)"),
        (RELU, "at character 1 stands 'computation<relu>' where a network (one of"),
        ("conv3x3", "at character 1 stands 'conv3x3' where a network"),
        (CONVOLUTION[:-1], "stands the end where ']' of routing[prerouting_fn, module, postrou"),
        (CONVOLUTION + "]", "at character 56 stands ']' where the end is due"),
        (CONVOLUTION + " ", "stands ' ' where the end is due"),
        (" " + CONVOLUTION, "at character 1 stands ' routing"),
        (
            CONVOLUTION.replace(", ", ","),
            "stands ',computation<linear(64)>…' where ', ' of routing",
        ),
        (
            CONVOLUTION.replace("64", "48"),
            "at character 36 stands 'linear(48)>, col2im]' where one",
        ),
        (CONVOLUTION.replace("3,1,1", "5,1,2"), "at character 9 stands 'im2col(5,1,2)"),
        (CONVOLUTION.replace("col2im]", "im2col(1,1,0)]"), "one of identity, perm(0,2,1)"),
        (f"sequential({RELU})", "at character 29 stands ')' where ', ' of sequential(module, mo"),
        (f"sequential({RELU}, {RELU}, {RELU})", "stands ', computation<relu>)' where ')' of"),
        (f"sequential({RELU}, {RELU}]", "stands ']' where ')' of sequential"),
        (EXAMPLES[1].replace(f"{RELU}, ", ""), "at character 81 stands 'cat(2,1)}' where a module"),
        (EXAMPLES[2].replace(RELU, f"{RELU}, {RELU}"), "where one of add(4), cat(4,1)"),
        (EXAMPLES[2].replace("cat(4,1)", "dot_product"), "stands 'dot_product}' where one of add"),
        (EXAMPLES[2].replace("group(4", "group(8"), "stands 'group(8,2), computation<…' where"),
        (
            EXAMPLES[2].replace("branching(4)", "branching(3)"),
            "at character 1 stands 'branching(3)",
        ),
        (CONVOLUTION.replace("linear(64)", "Linear(64)"), "stands 'Linear(64)>, col2im]'"),
    ],
)
def test_a_malformed_string_is_refused_where_it_breaks(native: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        Einspace().validate(native)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("native", "message"),
    [
        (
            f"routing[identity, {RELU}, col2im]",
            "col2im at character 38 needs the mode col, not 3×32×32 (im)",
        ),
        (
            f"routing[perm(0,2,1), {RELU}, identity]",
            "perm(0,2,1) at character 9 needs 2 dimensions, not 3×32×32 (im)",
        ),
        (
            f"routing[im2col(3,1,1), {CONVOLUTION}, identity]",
            "im2col(3,1,1) at character 32 needs the mode im, not 1024×27 (col)",
        ),
        (
            f"routing[im2col(16,16,0), {CONVOLUTION.replace('im2col(3,1,1)', 'identity')}, col2im]",
            "col2im at character 78 needs the mode col, not 64×2×2 (im)",
        ),
        (
            f"routing[im2col(3,2,1), routing[perm(0,2,1), {RELU}, identity], col2im]",
            "col2im at character 75 cannot fold 27 positions: the last image was 16×16",
        ),
        (
            f"branching(4){{group(4,1), {RELU}, add(4)}}",
            "group(4,1) at character 14 cannot split dimension 1 of 3×32×32 (im) in 4",
        ),
        (
            f"routing[im2col(1,1,0), branching(2){{group(2,3), {RELU}, {RELU}, add(2)}}, identity]",
            "group(2,3) at character 37 needs 3 dimensions, not 1024×3 (col)",
        ),
        (
            f"branching(2){{clone(2), {RELU}, {CONVOLUTION}, add(2)}}",
            "add(2) at character 100 needs branches of equal shapes, not 3×32×32 (im) and 64×32×32",
        ),
        (
            f"branching(2){{clone(2), {RELU}, {CONVOLUTION}, cat(2,2)}}",
            "cat(2,2) at character 100 needs branches that agree but for dimension 2",
        ),
        (
            f"branching(2){{clone(2), {RELU}, {CONVOLUTION}, dot_product}}",
            "dot_product at character 100 cannot multiply 3×32×32 (im) by 64×32×32 (im)",
        ),
        (
            f"branching(2){{clone(2), {RELU}, routing[im2col(1,1,0), {RELU}, identity], add(2)}}",
            "add(2) at character 96 needs branches of one mode, not 3×32×32 (im) and 1024×3 (col)",
        ),
        (
            "sequential(routing[im2col(16,16,0), computation<linear(16)>, col2im], "
            + CONVOLUTION
            + ")",
            "im2col(3,1,1) at character 79 needs height and width of at least 3, not 16×2×2 (im)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_their_place(native: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as error:
        Einspace().validate(native)
    position = int(re.search(r"character (\d+)", message).group(1))  # type: ignore[union-attr]
    assert native[position - 1 :].startswith(message.split(" at ")[0])
    assert "\n" not in str(error.value)


def test_what_no_memory_holds_is_refused() -> None:
    cat = "branching(8){clone(8), computation<identity>, cat(8,1)}"
    many = f"sequential({cat}, " * 40 + RELU + ")" * 40
    with pytest.raises(InputError, match="makes a tensor of more than 1,000,000,000 values"):
        Einspace().validate(many)
    nested = "branching(8){clone(8), " * 4_000 + RELU + ", add(8)}" * 4_000
    with pytest.raises(InputError, match="more than 100,000 calls"):
        Einspace().validate(nested)


def test_sampling_is_seeded_and_keeps_the_bounds() -> None:
    for space in SPACES:
        drawn = samples(space, 100)
        assert drawn == samples(space, 100)
        assert drawn != samples(space, 100, seed=1)
        for native in drawn:
            space.validate(native)
            cost = space.cost(native)
            assert modules_of(parse(native)) <= 100
            assert cost.parameters <= 2_000_000
            assert cost.activations <= 4_000_000
            assert cost.operations <= 1_000


def test_tight_bounds_are_kept() -> None:
    space = Einspace((1, 8, 8), max_modules=5, max_parameters=300, max_activations=500)
    for native in samples(space, 100):
        assert modules_of(parse(native)) <= 5
        assert space.cost(native).parameters <= 300
        assert space.cost(native).activations <= 500


def test_without_bounds_the_root_follows_the_grammar() -> None:
    """Backtracking replaces a few roots with two branches."""
    rng, bounds = np.random.default_rng(0), Bounds(8, *(3 * [10**15]))
    drawn: list[str] = []
    while len(drawn) < 3_000:
        native = draw("network", Flow(State((3, 32, 32))), 0, 1, bounds, rng)
        if native is not None:
            drawn.append(native)
    found = Counter(parse(native).kind for native in drawn)
    for kind, probability in MODULES["network"].items():
        assert found[kind] / len(drawn) == pytest.approx(probability, abs=0.045)
    assert max(modules_of(parse(native)) for native in drawn) == 8
    assert {kind for native in drawn[:200] for kind in KINDS if kind.name in native} == set(KINDS)


def test_sites_cover_their_text() -> None:
    for native in SAMPLES[:100]:
        found = sites(parse(native), State((3, 32, 32)))
        for site in found:
            text = native[site.start : site.end]
            if site.nonterminal in MODULES:
                assert parse(text, site.nonterminal).text == text
            else:
                assert text in {operation.text for operation in OPERATIONS[site.nonterminal]}
        assert sum(site.nonterminal in MODULES for site in found) == modules_of(parse(native))
        assert found[0].after.frame is None


def test_mutants_fit_and_differ() -> None:
    rng = np.random.default_rng(0)
    for space in SPACES:
        for native in samples(space, 60):
            mutant = space.mutate(native, rng)
            assert mutant != native
            assert space.is_within_bounds(mutant)
    native = SAMPLES[0]
    assert space.mutate(native, np.random.default_rng(3), 4) == space.mutate(
        native, np.random.default_rng(3), 4
    )
    with pytest.raises(InputError, match="0 edits are not possible"):
        space.mutate(native, rng, 0)


def test_any_part_of_a_network_may_mutate() -> None:
    rng, native = np.random.default_rng(0), f"sequential({CONVOLUTION}, {RELU})"
    mutants = {Einspace().mutate(native, rng) for _ in range(300)}
    assert any(mutant.startswith(f"sequential({CONVOLUTION}, ") for mutant in mutants)
    assert any(mutant.endswith(f", {RELU})") for mutant in mutants)
    assert any(not mutant.startswith("sequential") for mutant in mutants)


def test_what_exceeds_the_bounds_has_mutants_that_exceed_them_no_further() -> None:
    space, rng = Einspace((1, 8, 8)), np.random.default_rng(0)
    for native in space.starting_points().values():
        assert not space.is_within_bounds(native)
        mutant = space.mutate(native, rng, 3)
        assert space.cost(mutant).parameters <= max(2_000_000, space.cost(native).parameters)
        assert modules_of(parse(mutant)) <= max(100, modules_of(parse(native)))


def test_crossings_swap_one_subtree() -> None:
    rng = np.random.default_rng(0)
    for space in SPACES:
        drawn = [native for native in samples(space, 120) if len(native) > 150]
        for first, second in pairwise(drawn):
            one, other = space.crossover(first, second, rng)
            assert space.is_within_bounds(one)
            assert space.is_within_bounds(other)
            assert (one, other) != (first, second)
            assert len(one) + len(other) == len(first) + len(second)
            assert Counter(one + other) == Counter(first + second)


def test_equal_networks_have_nothing_to_swap() -> None:
    native = f"routing[identity, {RELU}, identity]"
    with pytest.raises(InputError, match="no subtrees to swap"):
        Einspace().crossover(native, native, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("native", "canonical"),
    [
        (f"sequential({RELU}, computation<identity>)", f"routing[identity, {RELU}, identity]"),
        (
            "sequential(computation<identity>, routing[identity, computation<identity>, identity])",
            "routing[identity, computation<identity>, identity]",
        ),
        (
            f"sequential(sequential({RELU}, computation<norm>), {CONVOLUTION})",
            f"sequential({RELU}, sequential(computation<norm>, {CONVOLUTION}))",
        ),
        (
            f"routing[perm(0,3,1,2), routing[perm(0,2,3,1), {RELU}, identity], identity]",
            f"routing[identity, {RELU}, identity]",
        ),
        (
            f"routing[perm(0,3,1,2), routing[perm(0,3,1,2), {RELU}, identity], identity]",
            f"sequential(routing[perm(0,2,3,1), computation<identity>, identity], {RELU})",
        ),
        (
            f"routing[im2col(1,1,0), routing[identity, computation<identity>, col2im], "
            f"{'perm(0,1,3,2)'}]",
            "routing[perm(0,1,3,2), computation<identity>, identity]",
        ),
        (
            f"sequential({CONVOLUTION}, routing[im2col(1,1,0), {RELU}, identity])",
            "sequential(routing[im2col(3,1,1), computation<identity>, identity], "
            f"sequential(computation<linear(64)>, {RELU}))",
        ),
        (
            f"sequential({RELU}, branching(8){{group(8,2), computation<identity>, cat(8,2)}})",
            f"routing[identity, {RELU}, identity]",
        ),
        (
            f"branching(2){{clone(2), {CONVOLUTION.replace('64', '16')}, {CONVOLUTION}, cat(2,1)}}",
            f"branching(2){{clone(2), {CONVOLUTION.replace('64', '16')}, {CONVOLUTION}, cat(2,1)}}",
        ),
        (
            f"branching(2){{clone(2), {RELU}, computation<norm>, add(2)}}",
            f"branching(2){{clone(2), computation<norm>, {RELU}, add(2)}}",
        ),
        (
            f"branching(2){{group(2,2), {RELU}, computation<norm>, add(2)}}",
            f"branching(2){{group(2,2), {RELU}, computation<norm>, add(2)}}",
        ),
    ],
)
def test_canonical_forms(native: str, canonical: str) -> None:
    assert Einspace().canonical_form(native) == canonical


def test_a_canonical_form_is_an_architecture_and_its_own() -> None:
    for space in SPACES:
        for native in samples(space, 150):
            canonical = space.canonical_form(native)
            space.validate(canonical)
            assert space.canonical_form(canonical) == canonical
            assert space.cost(canonical).parameters == space.cost(native).parameters


DEEP = 5_000
DEEP_FORMS = {
    "left": "sequential(" * DEEP + RELU + f", {RELU})" * DEEP,
    "right": f"sequential({RELU}, " * DEEP + RELU + ")" * DEEP,
    "routing": "routing[perm(0,1,3,2), " * DEEP + RELU + ", perm(0,1,3,2)]" * DEEP,
    "branching": "branching(2){clone(2), " * DEEP + RELU + f", {RELU}, add(2)}}" * DEEP,
}


@pytest.mark.parametrize("form", DEEP_FORMS)
def test_deep_trees_need_no_recursion(form: str) -> None:
    space, native = Einspace((1, 8, 8)), DEEP_FORMS[form]
    root = parse(native)
    assert root == parse(native)
    assert depth_of(root) == DEEP + 1
    assert space.canonical_form(space.canonical_form(native)) == space.canonical_form(native)
    assert len(space.mutate(native, np.random.default_rng(0))) > 0
    with pytest.raises(InputError, match=f"at character {len(native)} stands the end"):
        parse(native[:-1])


def test_parameters_enter_the_ids_and_bounds_do_not() -> None:
    native = EXAMPLES[0]
    space = get_space("einspace", input_shape=[3, 32, 32], classes=10)
    assert isinstance(space, Einspace)
    assert space.parameters == {"input_shape": [3, 32, 32], "classes": 10}
    assert space.architecture_id(native) == Einspace(max_parameters=9).architecture_id(native)
    ids = {
        space.architecture_id(native),
        Einspace(classes=11).architecture_id(native),
        Einspace((1, 32, 32)).architecture_id(native),
    }
    assert len(ids) == 3
    assert space.size is None
    with pytest.raises(InputError, match="einspace is open-ended: draw so many with --samples N"):
        space.enumerate()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"input_shape": (32, 32)}, "channels, height and width"),
        ({"input_shape": (3, 0, 32)}, "channels, height and width"),
        ({"classes": 0}, "there must be a class"),
        ({"max_modules": 1}, "2 modules or more"),
    ],
)
def test_impossible_spaces_are_refused(parameters: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Einspace(**parameters)


def test_starting_points_have_the_published_sizes() -> None:
    """Kuangliu's counts for CIFAR-10, plus the biases that these convolutions have."""
    space = Einspace()
    costs = {name: space.cost(native) for name, native in space.starting_points().items()}
    assert set(costs) == {"resnet18", "wrn16_4", "vit", "mixer"}
    assert costs["resnet18"].parameters == 11_173_962 + 4_800
    assert costs["resnet18"].flops == pytest.approx(556e6, rel=0.01)
    assert costs["wrn16_4"].parameters == 2_748_890 + 2_256
    block = 2 * 512 + 8 * 3 * (64 + 1) * 64 + 513 * 512  # norm, eight heads, the map behind them
    block += 2 * 512 + 513 * 2048 + 2049 * 512
    patches, classifier = (48 + 1 + 64) * 512, 2 * 512 + 513 * 10
    assert costs["vit"].parameters == patches + 6 * block + classifier
    assert set(Einspace((1, 8, 8)).starting_points()) == set(costs)
    assert "mixer" not in Einspace((1, 28, 28)).starting_points()
