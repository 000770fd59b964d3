"""Folders of evaluation documents, and the run of the stages over them.

A document is a line of JSON with `id`, `set`, `title`, `text`, `host`, `url`, `timestamp`, and perhaps `published` and
`lang`.
"""

import gzip
import json
import os
import pickle
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue

from newsbeam.pipeline.config.beam_options import pipeline_options
from newsbeam.transforms.duplicates import DuplicatesConfig, MarkDuplicates
from newsbeam.transforms.language import identify_language
from newsbeam.transforms.model.identity import identify, order_time
from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.stories.stories import LinkStories


def documents(folder: Path, sets: set[str] | None = None) -> list[dict[str, Any]]:
    """Reads the documents of all `*.jsonl` and `*.jsonl.gz` in `folder`, except the lists of pairs and of URLs."""
    listed = []
    for path in sorted(folder.glob("*.jsonl*")):
        if not path.name.startswith(("pairs", "url")):
            listed.extend(row for row in rows(path) if sets is None or row["set"] in sets)
    if not listed:
        wanted = f" of the sets {', '.join(sorted(sets))}" if sets else ""
        raise SystemExit(f"{folder}: no document{wanted}; a folder of *.jsonl or *.jsonl.gz was expected")
    return listed


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects of one file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def as_article(row: dict[str, Any]) -> Article:
    """Makes an article of a document, as if its page had been fetched; the document's id is the input unit."""
    return Article(
        url=row.get("url") or "",
        title=row.get("title") or "",
        text=row["text"],
        domain=row.get("host") or "",
        fetched_at=row.get("timestamp"),
        published_at=row.get("published"),
        origin=Origin(
            unit=row["id"], rank=f"{row.get('timestamp') or ''}|{row['id']}", language_hint=row.get("lang") or ""
        ),
    )


class Marked(NamedTuple):
    """The verdicts of the stages on one document."""

    unit: str
    article: str
    kind: str
    of: str | None
    score: float | None
    story: str | None
    story_score: float | None


def line_of(article: Article) -> str:
    """The fields of `Marked` as JSON."""
    marked = Marked(
        unit=article.origin.unit,
        article=article.id,
        kind=article.duplicate_kind,
        of=article.duplicate_of,
        score=article.duplicate_score,
        story=article.story_id,
        story_score=article.story_score,
    )
    return json.dumps(marked._asdict())


class _Bundles(RestrictionProvider):
    def initial_restriction(self, folder: str) -> OffsetRange:
        return OffsetRange(0, len(list(Path(folder).glob("bundle-*"))))

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, folder: str, restriction: OffsetRange) -> int:
        return int(restriction.size())


class ReadBundles(beam.DoFn):
    """Reads each file as one bundle, so that all stages finish a bundle before the next begins. (`Create` would be
    slow with values this large, and is not what is measured.)"""

    def process(self, folder: str, tracker: Any = beam.DoFn.RestrictionParam(_Bundles())) -> Iterator[Any]:
        number = tracker.current_restriction().start
        if tracker.try_claim(number):
            for article in pickle.loads(Path(folder, f"bundle-{number}").read_bytes()):  # noqa: S301 - this run wrote it
                yield TimestampedValue(article, order_time(article))
            tracker.defer_remainder()


class WriteMarked(beam.DoFn):
    """Writes the verdicts of each bundle. (Beam's own writers wait for all input.)"""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def start_bundle(self) -> None:
        self._lines: list[str] = []

    def process(self, article: Article) -> None:
        self._lines.append(line_of(article) + "\n")

    def finish_bundle(self) -> None:
        path = Path(self._folder, f"marked-{os.getpid()}-{time.monotonic_ns()}")
        path.write_text("".join(self._lines), encoding="utf-8")


def mark(
    bundles: Sequence[Sequence[Article]],
    beam_args: Sequence[str],
    config: DuplicatesConfig,
    stories: Optional[StoriesConfig] = None,
    language: bool = False,
) -> tuple[list[Marked], float]:
    """Runs the stages in one pipeline. Returns their verdicts, sorted by unit, and the CPU seconds used.

    Args:
        bundles: articles, as they come in.
        beam_args: options of Beam.
        config: of the duplicates.
        stories: how articles are gathered into stories; None if they are not.
        language: whether the language of each is found out first.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, bundle in enumerate(bundles):
            Path(folder, f"bundle-{number}").write_bytes(pickle.dumps(list(bundle)))
        started = time.process_time()
        runner, options = pipeline_options(beam_args)
        with beam.Pipeline(runner=runner, options=options) as pipeline:
            identified = (
                pipeline
                | "Folder" >> beam.Create([folder])
                | "Documents" >> beam.ParDo(ReadBundles()).with_output_types(Article)
                | "Identify" >> beam.Map(identify)
            )
            if language:
                identified = identified | "Language" >> beam.Map(identify_language)
            marked = identified | "Duplicates" >> MarkDuplicates(config)
            if stories:
                marked = marked | "Stories" >> LinkStories(stories)
            marked | "Write" >> beam.ParDo(WriteMarked(folder))
        spent = time.process_time() - started
        written = [line for path in Path(folder).glob("marked-*") for line in path.read_text("utf-8").splitlines()]
    return sorted(Marked(**json.loads(line)) for line in written), spent
