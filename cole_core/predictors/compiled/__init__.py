"""The small networks' training, compiled by Numba: nine times the plain path's speed on a core.

Nothing outside imports a module of this package before it asked `is_available`: where Numba is not
to be had, `cole_core.predictors.plain_mlp` makes the same networks.
"""

import os


def is_available() -> bool:
    """Whether networks are trained by compiled code.

    They are not when Numba cannot be imported, or when the environment variable `COLE_COMPILED`
    is 0, which tells whether an error or a number comes from the compiled code.
    """
    if os.environ.get("COLE_COMPILED") == "0":
        return False
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True
