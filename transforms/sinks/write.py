"""Records into sinks, and only then the outcome of the input they stand for."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import Rejected, SinkAway
from newsbeam.transforms.model.records import Article, DeadLetter, Outcome
from newsbeam.transforms.runtime.backoff import backoff
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters, dead_letter
from newsbeam.transforms.runtime.stopping import pause, stop_requested
from newsbeam.transforms.sinks.sink import Record, Sink
from newsbeam.transforms.sinks.spool import SpoolingSink
from newsbeam.transforms.sinks.uri import open_sink, parse_sink

METRICS = "newsbeam.sinks"
"""Namespace of the counters `<sink>_accepted` (articles), `<sink>_inserted`, `<sink>_updated`, `<sink>_unchanged`,
`<sink>_waited_ms`, where `<sink>` is a name that `counter_names` gives."""

BATCH_RECORDS = 500
BATCH_CHARS = 8_000_000
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0

POLICIES = ("drop", "label")

_DUPLICATES = ("exact", "near", "syndicated", "excerpt")

_log = logging.getLogger(__name__)


def counter_names(uris: Sequence[Address]) -> dict[Address, str]:
    """What the counters of each sink are named after: its scheme, numbered from the second of one scheme on."""
    names: dict[Address, str] = {}
    for uri in uris:
        scheme = parse_sink(uri).scheme
        before = sum(parse_sink(other).scheme == scheme for other in names)
        names.setdefault(uri, f"{scheme}{before + 1}" if before else scheme)
    return names


def outcome_of(article: Article) -> Outcome:
    """How the input of an article ended, from what the duplicates stage said of it."""
    kind = article.duplicate_kind
    ending = "story" if kind == "unique" else "duplicate" if kind in _DUPLICATES else kind
    return Outcome(
        unit=article.origin.unit,
        outcome=ending,
        url=article.url,
        article_id=article.id,
        of=article.duplicate_of or "",
        lines_removed=len(article.removed_blocks),
        published_at=article.published_at,
    )


def is_written(article: Article, policy: str) -> bool:
    """Whether sinks get an article: stories and revisions always, duplicates if the policy is to label them."""
    kind = article.duplicate_kind
    return kind != "unchanged" and (policy == "label" or kind not in _DUPLICATES)


def outcome_of_dead_letter(letter: DeadLetter) -> Outcome:
    """How an input ended that could not become a record."""
    return Outcome(unit=letter.unit, outcome="dead_letter", url=letter.url, reason=f"{letter.stage}:{letter.reason}")


class Waiting:
    """Writes to one sink; while it is away, waits and tries again, twice as long each time.

    Only the batch in hand is held: the caller is blocked, and the runner stops reading its input. If the run is told to
    stop meanwhile, `SinkAway` ends it: what was not written has no outcome, and waits in the ledger.

    Args:
        sink: opened at the first write.
        name: for the log.
        patience_s: give up and raise `SinkAway` after so many seconds away; None waits for ever.
        clock, sleep: seconds; a test's own.
    """

    def __init__(
        self,
        sink: Sink,
        name: str,
        patience_s: Optional[float] = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        self._sink = sink
        self._name = name
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self._is_open = False

    def write(self, batch: Sequence[Record]) -> tuple[list[tuple[Record, Rejected]], dict[str, int]]:
        """Writes the batch. Returns the records the sink will never take, with why, and what was counted."""
        refused: list[tuple[Record, Rejected]] = []
        counted: dict[str, int] = {"waited_ms": 0}
        parts = [list(batch)]
        while parts:
            part = parts.pop()
            try:
                counts, waited_s = self._persist(part)
            except Rejected as error:
                if len(part) == 1:
                    refused.append((part[0], error))
                else:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                continue
            counted["waited_ms"] += round(waited_s * 1000)
            for field in ("inserted", "updated", "unchanged"):
                counted[field] = counted.get(field, 0) + getattr(counts, field)
        return refused, counted

    def _persist(self, batch: Sequence[Record]) -> tuple[Any, float]:
        started = self._clock()
        failures = 0
        while True:
            try:
                if not self._is_open:
                    self._sink.open()
                    self._is_open = True
                return self._sink.write(batch), self._clock() - started if failures else 0.0
            except SinkAway as error:
                self.close()
                failures += 1
                wait_s = backoff(failures, FIRST_WAIT_S, LONGEST_WAIT_S)
                away_s = self._clock() - started
                if stop_requested() or (self._patience_s is not None and away_s + wait_s > self._patience_s):
                    raise
                _log.warning("%s is away (%s); next try in %.1f s", self._name, str(error), wait_s)
                self._sleep(wait_s)

    def close(self) -> None:
        self._is_open = False
        self._sink.close()


class _Write(beam.DoFn):
    """Holds the records of a bundle, hands them to every sink by size and at its end, then tells their outcomes."""

    def __init__(
        self,
        uris: Sequence[Address],
        stage: str,
        policy: str,
        live: bool,
        patience_s: Optional[float],
        spool: str,
    ) -> None:
        self._uris = tuple(uris)
        self._stage = stage
        self._policy = policy
        self._live = live
        self._patience_s = patience_s
        self._spool = spool

    def setup(self) -> None:
        self._sinks = []
        counters = counter_names(self._uris)
        for uri in self._uris:
            name = str(uri)
            sink = open_sink(uri, live=self._live)
            if self._spool:
                sink = SpoolingSink(sink, name, Path(self._spool))
            self._sinks.append((counters[uri], Waiting(sink, name, self._patience_s)))

    def start_bundle(self) -> None:
        self._held: list[tuple[Record, Any, Any]] = []
        self._records = 0
        self._chars = 0

    def process(
        self, record: Record, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Any]:
        self._held.append((record, timestamp, window))
        self._records += 1
        self._chars += len(record.text) if isinstance(record, Article) else len(record.message)
        if self._records >= BATCH_RECORDS or self._chars >= BATCH_CHARS:
            for tag, result, when, _ in self._flush():
                yield TaggedOutput(tag, TimestampedValue(result, when)) if tag else TimestampedValue(result, when)

    def finish_bundle(self) -> Iterator[Any]:
        for tag, result, when, window in self._flush():
            value = WindowedValue(result, when, (window,))
            yield TaggedOutput(tag, value) if tag else value

    def teardown(self) -> None:
        for _, sink in self._sinks:
            sink.close()

    def _flush(self) -> Iterator[tuple[str, Union[Outcome, DeadLetter], Any, Any]]:
        held = self._held
        self.start_bundle()
        batch = [r for r, _, _ in held if isinstance(r, DeadLetter) or is_written(r, self._policy)]
        refused: dict[int, Rejected] = {}
        articles = sum(isinstance(record, Article) for record in batch)
        for counters, sink in self._sinks:
            if batch:
                rejections, counted = sink.write(batch)
                refused.update((id(record), error) for record, error in rejections)
                counted["accepted"] = articles - sum(isinstance(record, Article) for record, _ in rejections)
                for name, count in counted.items():
                    if count:
                        Metrics.counter(METRICS, f"{counters}_{name}").inc(count)
        for record, timestamp, window in held:
            error = refused.get(id(record))
            if isinstance(record, DeadLetter):
                yield "", outcome_of_dead_letter(record), timestamp, window
            elif error is not None:
                yield DEAD, dead_letter(self._stage, record, error), timestamp, window
            else:
                yield "", outcome_of(record), timestamp, window


def _by_place(sinks: Sequence[Union[str, Address]]) -> tuple[list[Address], list[Address]]:
    """The sinks that a worker writes to, and those that are steps of the graph."""
    uris = [Address.of(sink) for sink in sinks]
    in_graph = [uri for uri in uris if parse_sink(uri).kind.cloud]
    return [uri for uri in uris if uri not in in_graph], in_graph


def _write_in_graph(records: PCollection[Any], uris: Sequence[Address], record: type) -> None:
    if uris:
        from newsbeam.transforms.sinks.google_cloud import WriteToCloud

        for number, uri in enumerate(uris, 1):
            records | f"To {parse_sink(uri).scheme} {number}" >> WriteToCloud(uri.whole, record)


class WriteArticles(beam.PTransform[PCollection[Article], PCollection[Outcome]]):
    """Articles into every sink in turn; an input's outcome is told only when all of them have accepted its article.

    Args:
        sinks: URIs (see `sinks.table.SINKS`). A sink that is away is waited for.
        dead_letters: the pipeline's; gets the articles that a sink will never take. An article that one sink refused
            may stand in the others.
        policy: `drop` keeps duplicates out of the sinks, `label` writes them with their `duplicate_kind`.
        live: see `open_sink`.
        patience_s: fail the bundle, so that the runner tries it again, if a sink is away for longer; None: never.
        spool: a file in which records wait for a sink that is away, while the other sinks go on; empty: all wait.
    """

    def __init__(
        self,
        sinks: Sequence[Union[str, Address]],
        dead_letters: DeadLetters,
        policy: str = "drop",
        live: bool = False,
        patience_s: Optional[float] = None,
        spool: str = "",
    ) -> None:
        super().__init__()
        if policy not in POLICIES:
            raise ValueError(f"policy for duplicates: {policy!r} is none of {', '.join(POLICIES)}")
        self._sinks, self._in_graph = _by_place(sinks)
        self._write = _Write(self._sinks, "write", policy, live, patience_s, spool)
        self._policy = policy
        self._dead_letters = dead_letters

    def expand(self, articles: PCollection[Article]) -> PCollection[Outcome]:
        if self._in_graph:
            chosen = articles | "Chosen" >> beam.Filter(is_written, self._policy)
            _write_in_graph(chosen, self._in_graph, Article)
        outputs = articles | "To sinks" >> beam.ParDo(self._write).with_outputs(DEAD, main="outcomes")
        outputs.outcomes.element_type = Outcome
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add("write", outputs[DEAD])
        return outputs.outcomes


class WriteDeadLetters(beam.PTransform[PCollection[DeadLetter], PCollection[Outcome]]):
    """Dead letters into every sink that keeps them; then their inputs' outcomes. See `WriteArticles`."""

    def __init__(
        self,
        sinks: Sequence[Union[str, Address]],
        live: bool = False,
        patience_s: Optional[float] = None,
        spool: str = "",
    ) -> None:
        super().__init__()
        self._sinks, self._in_graph = _by_place(sinks)
        self._write = _Write(self._sinks, "write dead letters", "label", live, patience_s, spool)

    def expand(self, letters: PCollection[DeadLetter]) -> PCollection[Outcome]:
        _write_in_graph(letters, self._in_graph, DeadLetter)
        outcomes = letters | "To sinks" >> beam.ParDo(self._write)
        outcomes.element_type = Outcome
        return outcomes
