"""The one error that a person can mend."""

_SHOWN = 80  # letters of a text's beginning, and of its end


class InputError(ValueError):
    """Bad input: one line that names the value and the remedy. The command line exits with 2."""


def shortened(text: str) -> str:
    """A text for such a line, in quotes: of a long one the beginning, and the end, since renderings
    of one space differ there."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 2 * _SHOWN else f"{line[:_SHOWN]} … {line[-_SHOWN:]}")
