"""Bytes of a text file as UTF-8, whatever they were written in."""

import codecs

from cole_core.errors import InputError

_PLAIN = "UTF-8"
# A mark at the beginning says it; the longer marks come first, as one begins like another.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
    (codecs.BOM_UTF8, "utf-8", _PLAIN),
)
_SAMPLE = 4_096  # bytes by which a file without a mark is judged
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))


def to_utf8(data: bytes, source: str) -> tuple[bytes, str | None]:
    """The text of a file in UTF-8, without a mark, its lines ended by line feeds.

    Args:
        data: The whole file.
        source: Its name, for messages.

    Returns:
        The text, and what it was written in where that is not UTF-8.

    Raises:
        InputError: It is no text.
    """
    text, encoding = _decoded(data, source)
    if text.translate(None, _CONTROLS) != text:
        raise InputError(
            f"{source} holds bytes that are no text: give a table as its name says, in UTF-8"
        )
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text, encoding


def _decoded(data: bytes, source: str) -> tuple[bytes, str | None]:
    for mark, codec, name in (*_MARKS, *_unmarked(data)):
        if data.startswith(mark):
            try:
                text = data[len(mark) :].decode(codec).encode()
            except UnicodeError as error:
                raise InputError(
                    f"{source} is {name} by its first bytes and cannot be read as that: save it "
                    "anew as UTF-8"
                ) from error
            return text, None if name == _PLAIN else name
    if data.isascii():
        return data, None
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data, None
    try:
        return data.decode("cp1252").encode(), "Windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1").encode(), "Latin-1"


def _unmarked(data: bytes) -> tuple[tuple[bytes, str, str], ...]:
    """UTF-16 without a mark: of mostly Latin letters every other byte is zero."""
    sample = data[: _SAMPLE - _SAMPLE % 2]
    if len(sample) < 4 or len(sample) % 2:
        return ()
    if sample[1::2].count(0) * 10 > len(sample) * 4 and not sample[::2].count(0):
        return ((b"", "utf-16-le", "UTF-16"),)
    if sample[::2].count(0) * 10 > len(sample) * 4 and not sample[1::2].count(0):
        return ((b"", "utf-16-be", "UTF-16"),)
    return ()
