"""What an encoding promises, as tests."""

import os
import pickle
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cole_core.encodings.base import (
    NO_CONTEXT,
    Encoding,
    RenderingError,
    TextEncoding,
    VectorEncoding,
)
from cole_core.spaces.base import SearchSpace
from cole_core.testing.checks import GARBAGE, NAME, global_generators, in_another_process, refused

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")

Read = list[Any]


class EncodingContract:
    """Tests of a text or a vector encoding; see `cole_core.encodings.base`.

    Attributes:
        encoding: What is tested, made with a space.
        samples: Architectures that are drawn.
        garbage: Strings that are no architectures.
    """

    encoding: Encoding
    samples: int = 12
    garbage: tuple[str, ...] = GARBAGE[:5]

    @property
    def space(self) -> SearchSpace:
        """The space of its architectures."""
        space: SearchSpace = self.encoding.space
        return space

    def drawn(self, seed: int = 0) -> list[str]:
        """Distinct architectures at random."""
        rng = np.random.default_rng(seed)
        drawn = (self.space.sample(rng) for _ in range(self.samples))
        return list(dict.fromkeys(drawn))

    def vectors(self) -> VectorEncoding:
        """The encoding, where it is one of vectors."""
        if not isinstance(self.encoding, VectorEncoding):
            pytest.skip("of vector encodings")
        return self.encoding

    def texts(self) -> TextEncoding:
        """The encoding, where it is one of texts."""
        if not isinstance(self.encoding, TextEncoding):
            pytest.skip("of text encodings")
        return self.encoding

    def test_it_is_an_encoding_with_a_name(self) -> None:
        assert isinstance(self.encoding, TextEncoding | VectorEncoding)
        assert NAME.fullmatch(self.encoding.name), f"it cannot be called {self.encoding.name!r}"

    def test_it_reads_the_same_everywhere(self) -> None:
        """Again, made anew, whatever others draw, and where strings hash otherwise."""
        natives = self.drawn()
        with global_generators(1):
            once = read(self.encoding, natives)
        with global_generators(2):
            assert same(read(self.encoding, natives), once)
        assert same(read(type(self.encoding)(self.space), natives), once)
        assert same(in_another_process(read, self.encoding, natives), once)

    def test_an_architecture_is_read_by_itself(self) -> None:
        """Whatever is read with it or before it."""
        natives = self.drawn()
        together = read(self.encoding, natives)
        assert same(read(self.encoding, natives[::-1])[::-1], together), "the order counts"
        for native, one in list(zip(natives, together, strict=True))[:5]:
            assert same(read(self.encoding, [native]), [one]), f"{native} is read otherwise alone"

    def test_it_tells_architectures_apart(self) -> None:
        natives = self.drawn() + self.drawn(1)
        if len({self.space.canonical_form(native) for native in natives}) > 4:
            # Of a long vector repr shows but the ends.
            found = {
                each.tobytes() if isinstance(each, np.ndarray) else repr(each)
                for each in read(self.encoding, natives)
            }
            assert len(found) > 1, "all architectures look alike"

    def test_garbage_is_refused(self) -> None:
        natives = self.drawn()[:2]
        for text in self.garbage:
            if isinstance(self.encoding, VectorEncoding):
                refused(self.encoding.encode, [*natives, text])
            else:
                refused(self.encoding.render, text)

    def test_it_pickles(self) -> None:
        natives = self.drawn()[:3]
        copy = pickle.loads(pickle.dumps(self.encoding))
        assert same(read(copy, natives), read(self.encoding, natives))

    def test_vectors_are_finite_rows(self) -> None:
        natives = self.drawn()
        vectors = self.vectors().encode(natives)
        assert isinstance(vectors, np.ndarray)
        assert vectors.dtype == np.float32, f"vectors are float32, not {vectors.dtype}"
        assert vectors.ndim == 2
        assert len(vectors) == len(natives)
        assert np.isfinite(vectors).all()

    def test_no_architectures_are_no_rows(self) -> None:
        width = self.vectors().encode(self.drawn()[:1]).shape[1]
        empty = self.vectors().encode([])
        assert empty.shape == (0, width)
        assert empty.dtype == np.float32

    def test_any_sequence_will_do(self) -> None:
        natives = self.drawn()
        kept = list(natives)
        listed = self.vectors().encode(natives)
        assert natives == kept, "the list that it is given is changed"
        np.testing.assert_array_equal(self.vectors().encode(tuple(natives)), listed)

    def test_each_context_has_a_text(self) -> None:
        encoding = self.texts()
        assert encoding.contexts[0] == NO_CONTEXT
        assert len(set(encoding.contexts)) == len(encoding.contexts)
        for context in encoding.contexts:
            assert any(isinstance(each, str) and each for each in self.rendered(context))

    def test_an_unknown_context_is_refused(self) -> None:
        encoding, native = self.texts(), self.drawn()[0]
        said = refused(encoding.render, native, "no such context")
        assert all(context in said for context in encoding.contexts)

    def test_texts_are_the_same_on_every_machine(self) -> None:
        """UTF-8, without NUL, without paths, names and addresses of this machine."""
        folders = {os.getcwd(), str(Path.home()), tempfile.gettempdir(), sys.prefix}
        here = {each for each in (*folders, socket.gethostname()) if len(each) > 3}
        for context in self.texts().contexts:
            for text in self.rendered(context):
                assert text.encode().decode() == text
                assert "\0" not in text
                assert not _ADDRESS.search(text), f"an address of memory is in {text!r}"
                assert not any(each in text for each in here), f"this machine is in {text!r}"

    def rendered(self, context: str) -> list[str]:
        """The texts that architectures have."""
        found = []
        for native in self.drawn():
            try:
                found.append(self.texts().render(native, context))
            except RenderingError as error:
                lines = str(error).splitlines()
                if len(lines) != 1:
                    raise AssertionError(f"a RenderingError is one line, not {lines}") from error
        assert found, "no architecture has a text"
        return found


def read(encoding: Encoding, natives: list[str]) -> Read:
    """What a surrogate or a language model reads of architectures; None where there is no text."""
    if isinstance(encoding, VectorEncoding):
        return list(encoding.encode(natives))
    texts: Read = []
    for native in natives:
        for context in encoding.contexts:
            try:
                texts.append(encoding.render(native, context))
            except RenderingError:
                texts.append(None)
    count = len(encoding.contexts)
    return [tuple(texts[start : start + count]) for start in range(0, len(texts), count)]


def same(found: Read, expected: Read) -> bool:
    """Whether texts are equal, or vectors in every bit."""
    return len(found) == len(expected) and all(
        np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
        for one, other in zip(found, expected, strict=True)
    )
