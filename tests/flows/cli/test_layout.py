"""Pages at any width: values stay whole, lines fit where they can, commands can be copied."""

import functools
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.layout import Page
from flows.cli.words import cell, size, stored, whole
from tests.flows.cli.printed import printed

WORDS = st.text("abcdef0123456789_./|~+", min_size=1, max_size=40)


@given(
    rows=st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=4),
    width=st.integers(20, 120),
    flowing=st.booleans(),
)
def test_no_value_of_a_table_is_ever_broken(
    rows: list[list[str]], width: int, flowing: bool
) -> None:
    def tell() -> None:
        Page().table(("one name", "two", "three"), rows, flowing=flowing, indent=2)

    said = printed(tell, width, terminal=False).splitlines()
    for row in rows:
        for value in row:
            assert any(value in line for line in said)
    for line in said:
        if len(line) > width:  # one value, and what it is called
            assert sum(value in line for row in rows for value in row) >= 1
            assert len(line.split()) <= 2


@given(words=st.lists(WORDS, min_size=1, max_size=30), width=st.integers(10, 100))
def test_sentences_break_between_words_alone(words: list[str], width: int) -> None:
    said = printed(lambda: Page().say(" ".join(words)), width, terminal=False)
    assert said.split() == words
    assert all(len(line) <= width or " " not in line for line in said.splitlines())


@given(words=st.lists(WORDS | st.just("a 'b'") | st.just("x y"), min_size=1, max_size=9))
def test_a_command_over_several_lines_is_the_same_to_a_shell(words: list[str]) -> None:
    command = shlex.join(["cole", *words])
    for width in (20, 60, None):
        said = printed(functools.partial(Page().command, command), width, terminal=False)
        assert shlex.split(said.removeprefix("next: ")) == ["cole", *words]


def test_a_value_with_blanks_stays_in_one_line() -> None:
    native = "sequential(linear(64), relu)"
    said = printed(lambda: Page().say(f"nearest to {whole(native)}, of all"), 30, terminal=False)
    assert said.splitlines() == ["nearest to", native + ",", "of all"]


def test_a_pipe_has_whole_lines_and_no_styles() -> None:
    sentence = "word " * 60
    assert printed(lambda: Page().say(sentence), None, terminal=False).strip() == sentence.strip()
    assert "\x1b" not in printed(lambda: Page().heading("title"), None, terminal=False)
    assert "\x1b[1mtitle" in printed(lambda: Page().heading("title"), 80, terminal=True)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "yes"),
        (1234567, "1,234,567"),
        (0.5, "0.5"),
        (["a", None, 1], "[a, –, 1]"),
        ({"a": [1, "x"]}, '{"a": [1, "x"]}'),
        ([0.125] * 384, "[0.125, 0.125, 0.125, 0.125, … 384]"),
        (b"\xaa", "aa"),
    ],
)
def test_values_in_words(value: object, said: str) -> None:
    assert cell(value) == said


@pytest.mark.parametrize(
    ("of", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (13_400_000, "13 MB")]
)
def test_sizes_in_words(of: int, said: str) -> None:
    assert size(of) == said


def test_nothing_new_says_why() -> None:
    assert stored(2, 0, "text", "written") == "2 texts written"
    assert stored(1, 2_000, "text", "written") == "1 text written, 2,000 were there already"
    assert stored(0, 1, "text", "written") == "nothing new: 1 text is there already"
    assert stored(0, 0, "text", "written") == "nothing to do: there are no texts"
