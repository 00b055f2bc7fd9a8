"""The page: templates that lay out what Python gathered, everything inside one file."""

import functools
from collections.abc import Collection

import jinja2

from flows.report import trusted
from flows.report.data import ReportData
from flows.report.filters import FILTERS
from flows.report.findings import Finding, findings, search_findings
from flows.report.sections import sections
from flows.report.summaries import SearchSummary, summarize_searches, summarize_trials


def render_report(data: ReportData, only: Collection[str] | None = None) -> str:
    """The report as one HTML file that needs no network.

    Args:
        data: What to show; sections without data say which command makes them.
        only: Names of the sections that stand in it, without what stands before them; None: all.

    Returns:
        The HTML text, to be written as UTF-8.

    Raises:
        InputError: A picture is no SVG, or one that does more than draw.
    """
    summaries, trials = _summaries(data), data.trials
    taus = None if trials is None or trials.is_empty() else summarize_trials(trials)
    return (
        _templates()
        .get_template("page.html.jinja")
        .render(
            data=data,
            findings=findings(data, summaries, taus),
            sections=[
                section
                for section in sections(data, summaries, taus)
                if only is None or section.name in only
            ],
            whole=only is None,
            style=trusted.style(),
            scripts=trusted.scripts(),
        )
    )


def said_of_searches(data: ReportData) -> list[Finding]:
    """What the page says first of the searches, for who does not open it."""
    return search_findings(data, _summaries(data))


def _summaries(data: ReportData) -> list[SearchSummary]:
    searches = data.searches
    if searches is None or searches.is_empty():
        return []
    return summarize_searches(searches, data.threshold)


@functools.cache
def _templates() -> jinja2.Environment:
    """The templates. Whatever they show is escaped, unless `trusted` made it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flows.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.filters["highlight_code"] = trusted.highlight_code
    environment.filters["picture"] = trusted.picture
    # As they are, not sorted: the order of a chart's layers' keys is Altair's.
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    return environment
