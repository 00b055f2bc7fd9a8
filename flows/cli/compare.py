"""The commands of comparisons: `cole compare`."""

import json
from functools import partial

from cyclopts import App

from flows.cli import next_steps
from flows.cli.comparison_tables import print_predictors, print_searches
from flows.cli.next_steps import Step
from flows.cli.options import Json
from flows.resolve.requests import Compared
from flows.running.stage import run_stage
from flows.stages import compare_predictors, compare_searches
from flows.stages.compare_predictors import ComparePredictorsRequest
from flows.stages.compare_searches import CompareSearchesRequest

app = App(
    name="compare",
    help="Compares encodings, language models, heads and searches, with tests of significance.",
)


@app.command
def predictors(
    request: ComparePredictorsRequest = ComparePredictorsRequest(), *, as_json: Json = False
) -> None:
    """Compares how well surrogates rank, on the same splits; stored trials are not run again.

    The first is the reference that the others are tested against (corrected paired t-test of
    Nadeau and Bengio), split by split.
    """
    summary = run_stage(compare_predictors.compare_predictors, compare_predictors.plan, request)
    if as_json:
        print(json.dumps({"stage": "compare predictors", **summary}))
    else:
        print_predictors(summary, _following(request))


@app.command
def search(
    request: CompareSearchesRequest = CompareSearchesRequest(), *, as_json: Json = False
) -> None:
    """Compares how soon searches find the best, over the same seeds; stored searches are continued.

    The first is the reference that the others are tested against, seed by seed. All begin with the
    same architectures at the same seed.
    """
    summary = run_stage(compare_searches.compare_searches, compare_searches.plan, request)
    if as_json:
        print(json.dumps({"stage": "compare search", **summary}))
    else:
        print_searches(summary, _following(request))


def _following(request: Compared) -> Step:
    return partial(next_steps.report, request.home, request.space, request.measured.dataset)
