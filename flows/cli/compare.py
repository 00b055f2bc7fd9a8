"""The commands of comparisons: `cole compare`."""

import json
from functools import partial
from pathlib import Path

from cyclopts import App

from cole_core.experiments.published.protocols import read_protocols
from flows.cli import next_steps
from flows.cli.comparison_tables import print_predictors, print_searches
from flows.cli.next_steps import Step
from flows.cli.options import Json
from flows.cli.published_tables import print_published, write_results
from flows.cli.query_output import check_output
from flows.pipelines import published as pipeline
from flows.resolve.requests import Compared
from flows.resolve.spaces import find_space
from flows.running.stage import run_stage
from flows.stages import compare_predictors, compare_searches
from flows.stages.compare_predictors import ComparePredictorsRequest
from flows.stages.compare_published import ComparePublishedRequest
from flows.stages.compare_searches import CompareSearchesRequest
from warehouse import Warehouse

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


@app.command
def published(
    request: ComparePublishedRequest = ComparePublishedRequest(),
    *,
    output: Path | None = None,
    as_json: Json = False,
) -> None:
    """Sets ours beside the figures that other people published, each by its own protocol.

    Stored trials are not run again, and stored searches are continued. A protocol whose values are
    not there is told with what its table must hold.

    Args:
        output: Write it all as Markdown into this file, with a picture (.svg) beside it.
    """
    check_output(output, request.home)
    summary = run_stage(pipeline.published, pipeline.plan, request)
    protocols = read_protocols(find_space(Warehouse(request.home), request.space))
    if output is not None:
        write_results(output, summary, protocols, request)
    if as_json:
        print(json.dumps({"stage": "compare published", **summary}))
    else:
        following = partial(next_steps.report, request.home, request.space, None)
        print_published(summary, protocols, following)


def _following(request: Compared) -> Step:
    return partial(next_steps.report, request.home, request.space, request.measured.dataset)
