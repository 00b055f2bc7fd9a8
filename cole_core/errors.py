"""The one error that a person can mend, and those that code of other people raises."""

_SHOWN = 80  # letters of a text's beginning, and of its end


FOREIGN_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What somebody else's module may raise where it is imported, made or traced."""


class InputError(ValueError):
    """Bad input: one line that names the value and the remedy. The command line exits with 2."""


def shortened(text: str) -> str:
    """A text for such a line, in quotes: of a long one the beginning, and the end, since renderings
    of one space differ there."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 2 * _SHOWN else f"{line[:_SHOWN]} … {line[-_SHOWN:]}")
