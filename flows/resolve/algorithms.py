"""Which search algorithm is meant, with which parameters."""

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from cole_core.parameters import parse_assignments
from cole_core.predictors import heads
from cole_core.search import searches
from cole_core.search.acquisitions import acquisitions
from flows.resolve.requests import one_of, repeatable, request

_TUNED = "bananas"  # whose defaults are the paper's, and ours are recommended
_SEVERAL = "pareto"  # what bananas is for several objectives


@request
class AlgorithmOptions:
    """A search algorithm.

    Attributes:
        candidates: Of bananas: the whole space, or mutation of the best.
        initial: Of bananas: architectures at random at the beginning.
        batch: Of bananas: evaluations at a time.
        parameter: A parameter of the algorithm or of its surrogate, as edits=2; may be repeated.
    """

    name: Annotated[
        str, Parameter(name="--algorithm"), one_of(searches, "The search algorithm")
    ] = "bananas"
    head: Annotated[str | None, one_of(heads, "Of bananas, the paper's is mlp")] = None
    acquisition: Annotated[str | None, one_of(acquisitions, "Of bananas")] = None
    candidates: str | None = None
    initial: int | None = None
    batch: int | None = None
    parameter: Annotated[tuple[str, ...], repeatable("--parameter")] = ()

    def parameters(self, recommended: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of `make_algorithm` beside the name.

        Args:
            recommended: What bananas does unless asked otherwise.
        """
        names = ("head", "acquisition", "candidates", "initial", "batch")
        asked = {name: getattr(self, name) for name in names}
        given = {name: value for name, value in asked.items() if value is not None}
        given |= parse_assignments("--parameter", self.parameter)
        return {**recommended, **given} if self.name == _TUNED else given

    def chosen(self, recommended: Mapping[str, Any], several: bool) -> tuple[str, dict[str, Any]]:
        """The name and the arguments of `make_algorithm`.

        Args:
            recommended: What bananas does unless asked otherwise.
            several: Whether there are several objectives, which bananas has another form for.
        """
        if several and self.name == _TUNED:
            return _SEVERAL, self.parameters({})
        return self.name, self.parameters(recommended)
