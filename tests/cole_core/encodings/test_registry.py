"""The encodings that a space has, by name and by what may stand around an architecture."""

import pytest

from cole_core.encodings import TextEncoding
from cole_core.encodings.registry import GENERIC, encoding_names, make_encoding, make_text_encoding
from cole_core.errors import InputError
from cole_core.spaces import get_space, spaces


@pytest.mark.parametrize("space_name", spaces)
def test_each_encoding_knows_its_name_and_its_contexts(space_name: str) -> None:
    space = get_space(space_name)
    assert (
        sorted({*GENERIC, *space.encodings} - space.lacks)
        == encoding_names(space)
        == space.encoding_names
    )
    for name in encoding_names(space):
        made = make_encoding(space, name)
        assert made.name == name
        assert made.space is space
        if isinstance(made, TextEncoding):
            assert made.contexts[0] == "none"
            for context in made.contexts:
                assert make_text_encoding(space, name, context).name == name


def test_what_stores_no_text_or_lacks_the_context_is_refused() -> None:
    space = get_space("nasbench201")
    with pytest.raises(InputError, match="'graf' is a vector already and stores no texts"):
        make_text_encoding(space, "graf")
    with pytest.raises(InputError, match=r"'arch_str' has no context 'file': choose one of none$"):
        make_text_encoding(space, "arch_str", "file")
    with pytest.raises(InputError, match="unknown encoding of nasbench201 'tree': choose one of a"):
        make_text_encoding(space, "tree")
