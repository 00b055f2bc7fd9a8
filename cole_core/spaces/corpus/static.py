"""What is told of a member from its source alone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cole_core.encodings.normal_form.source import normalised
from cole_core.encodings.python_source import Network
from cole_core.encodings.source_files import SourceFile
from cole_core.spaces.corpus.members import Member


def static_member(
    source: SourceFile, network: Network, *, name: str, arguments: Mapping[str, Any], place: str
) -> Member:
    """A member of which nothing was run.

    Args:
        source: Its file, or what stands for one.
        network: Which network of it.
        name: What it is called; may be empty.
        arguments: Of the constructor.
        place: Where it is from.
    """
    made = Member(
        name=name,
        class_name=network.name,
        code=source.text,
        arguments=arguments,
        place=place,
    )
    return replace(made, canonical=static_text(made))


def static_text(member: Member) -> str:
    """The source of a member without what says nothing of it, and what it is made with.

    Raises:
        InputError: The code cannot be parsed.
    """
    SourceFile(Path(member.place), member.code).parse()
    text = normalised(member.code, member.class_name)
    if not member.arguments:
        return text
    given = ", ".join(f"{name}={value!r}" for name, value in sorted(member.arguments.items()))
    return f"{text}\n\n{member.class_name}({given})"
