"""How templates write numbers."""


def grouped(number: float) -> str:
    """15,625"""
    return f"{number:,}"


def fixed(number: float, digits: int) -> str:
    """93.10"""
    return f"{number:.{digits}f}"


def fixed_or_dash(number: float | None, digits: int) -> str:
    """93.10, or – where there is no number."""
    return "–" if number is None else fixed(number, digits)


def short(number: float) -> str:
    """7.5, and 7 for 7.0"""
    return f"{number:g}"


def percent(share: float) -> str:
    """99 %, for 0.99"""
    return f"{share * 100:.3g} %"


def change(share: float) -> str:
    """-34%, for -0.34"""
    return f"{share:+.0%}"


def p_value(p: float) -> str:
    """p 0.034, or p < 0.001"""
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def seconds(duration: float) -> str:
    """1,234.5 s"""
    return f"{duration:,.1f} s"


FILTERS = {
    each.__name__: each
    for each in (grouped, fixed, fixed_or_dash, short, percent, change, p_value, seconds)
}
