"""One network has one text and one digest, in whatever order its source has it."""

import networkx as nx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cole_core.encodings.normal_form import NormalForm, normal_form

OPERATIONS = ("sum", "cat", "linear", "tanh", "product")


class Program(nn.Module):
    """Runs steps: an operation on one or two earlier values; all values without readers are added.

    Args:
        steps: Operation and the values that it reads; value 0 is the input.
        order: In which the steps are run, and their layers made.
    """

    def __init__(self, steps: list[tuple[str, int, int]], order: list[int], flip: bool) -> None:
        super().__init__()
        self.steps, self.order, self.flip = steps, order, flip
        for number in order:
            if steps[number][0] == "linear":
                self.add_module(f"layer{number}", nn.Linear(4, 4))

    def forward(self, x):
        values = {0: x}
        for number in self.order:
            name, one, two = self.steps[number]
            a, b = values[one], values.get(two)
            if self.flip and name in ("sum", "product"):
                a, b = b, a
            if name == "linear":
                made = getattr(self, f"layer{number}")(a)
            elif name == "tanh":
                made = torch.tanh(a) if self.flip else a.tanh()
            elif name == "cat":
                made = torch.cat([a, b], -1)[..., :4]
            else:
                made = a + b if name == "sum" else a * b
            values[number + 1] = made
        read = {each for name, one, two in self.steps for each in reads(name, one, two)}
        ends = [values[number] for number in sorted(values) if number not in read]
        return sum(reversed(ends)) if self.flip else sum(ends)


def reads(name: str, one: int, two: int) -> list[int]:
    return [one] if name in ("linear", "tanh") else [one, two]


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[tuple[str, int, int]], list[int]]:
    """Steps, and another order in which they can be run."""
    steps: list[tuple[str, int, int]] = []
    for number in range(draw(st.integers(2, 9))):
        values = st.integers(0, number)
        steps.append((draw(st.sampled_from(OPERATIONS)), draw(values), draw(values)))
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(steps)))
    for number, step in enumerate(steps):
        graph.add_edges_from((each - 1, number) for each in reads(*step) if each)
    priority = draw(st.permutations(range(len(steps))))
    return steps, list(nx.lexicographical_topological_sort(graph, priority.__getitem__))


def form(steps: list[tuple[str, int, int]], order: list[int], flip: bool) -> NormalForm:
    return normal_form(lambda: Program(steps, order, flip))


@settings(max_examples=60, deadline=None)
@given(programs())
def test_order_and_spelling_change_nothing(
    program: tuple[list[tuple[str, int, int]], list[int]],
) -> None:
    steps, order = program
    one, other = form(steps, list(range(len(steps))), False), form(steps, order, True)
    assert one.path == other.path == "fx"
    assert one.bare == other.bare
    assert one.class_text == other.class_text
    assert one.digest == other.digest


@settings(max_examples=40, deadline=None)
@given(programs())
def test_a_class_gives_what_the_program_gives(
    program: tuple[list[tuple[str, int, int]], list[int]],
) -> None:
    from tests.cole_core.encodings.normal_form.running import with_weights_of

    steps, order = program
    module = Program(steps, order, flip=False).eval()
    made = with_weights_of(form(steps, order, False), module)
    x = torch.randn(3, 4)
    torch.testing.assert_close(made(x), module(x), atol=1e-4, rtol=1e-4)
