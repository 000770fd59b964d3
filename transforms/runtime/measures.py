"""What the stages count, with Beam's own metrics: every engine shows the same numbers in its own way.

A local run serves them as Prometheus text (`pipeline/metrics/`); Flink's REST and Dataflow's console list them
under these namespaces.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import PCollection

from newsbeam.transforms.model.records import Outcome, Page
from newsbeam.transforms.model.units import Unit

OUTCOMES = "newsbeam.outcomes"
"""Counters `inputs` and, by outcome, `story`, `duplicate`, `revision`, `unchanged`, `dead_letter`."""
INPUTS = "inputs"
DEAD_LETTERS = "newsbeam.dead_letters"
"""A counter for each reason: `fetch:http_404`."""
RECORDS = "newsbeam.records"
"""Counter `lines_removed`; distribution `lag_s`, seconds from publication to the outcome, where a page says when it was
published, with its zone. In a replay that is the age of the page."""
PAGES = "newsbeam.pages"
"""Counter `pages`; distribution `bytes`."""


def lag_seconds(published_at: str | None, now: float) -> int | None:
    """Whole seconds from publication to `now` (since 1970); None where the zone is not known."""
    if not published_at or not published_at.endswith("Z"):
        return None
    published = datetime.fromisoformat(f"{published_at[:-1]}+00:00")
    return max(0, round(now - published.timestamp()))


def count_input() -> None:
    """One more input was found."""
    Metrics.counter(OUTCOMES, INPUTS).inc()


def count_outcome(outcome: Outcome, now: float) -> None:
    """An input has ended, at `now` (seconds since 1970)."""
    Metrics.counter(OUTCOMES, outcome.outcome).inc()
    if outcome.outcome == "dead_letter":
        Metrics.counter(DEAD_LETTERS, outcome.reason or "unknown").inc()
        return
    if outcome.lines_removed:
        Metrics.counter(RECORDS, "lines_removed").inc(outcome.lines_removed)
    lag = lag_seconds(outcome.published_at, now)
    if lag is not None and outcome.outcome in ("story", "revision"):
        Metrics.distribution(RECORDS, "lag_s").update(lag)


class _Count(beam.DoFn):
    def __init__(self) -> None:
        self._pages = Metrics.counter(PAGES, "pages")
        self._bytes = Metrics.distribution(PAGES, "bytes")

    def process(self, page: Page | Unit) -> Iterator[Page | Unit]:
        self._pages.inc()
        self._bytes.update(page.length)
        yield page


class CountPages(beam.PTransform[PCollection[Any], PCollection[Any]]):
    """Lets every page pass, read or still to be read, counted."""

    def expand(self, pages: PCollection[Any]) -> PCollection[Any]:
        return pages | "Count" >> beam.ParDo(_Count()).with_output_types(Any)
