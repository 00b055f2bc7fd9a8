"""Contract suites: what a plug-in must do, as tests that its author runs in three lines.

    from cole_core.testing import SpaceContract

    class TestMySpace(SpaceContract):
        space = MySpace()

Each kind of plug-in has a class of tests here, written against what its abstract base promises and
against nothing else; a name that begins with `Test` makes pytest run them. What a plug-in needs to
be tried on is a class attribute and has a default. This room alone needs pytest.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{room}"
        for room in ("acquisition", "checks", "encoding", "head", "search", "source", "space")
    )
)

from cole_core.testing.acquisition import AcquisitionContract  # noqa: E402 # rewritten from here on
from cole_core.testing.encoding import EncodingContract  # noqa: E402
from cole_core.testing.head import HeadContract  # noqa: E402
from cole_core.testing.search import SearchContract  # noqa: E402
from cole_core.testing.source import SourceContract  # noqa: E402
from cole_core.testing.space import SpaceContract  # noqa: E402

__all__ = [
    "AcquisitionContract",
    "EncodingContract",
    "HeadContract",
    "SearchContract",
    "SourceContract",
    "SpaceContract",
]
