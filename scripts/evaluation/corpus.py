"""Folders of evaluation documents, and the run of the stages over them.

A document is a line of JSON with `id`, `set`, `title`, `text`, `host`, `url`, `timestamp`, and perhaps `published` and
`lang`.
"""

import gzip
import json
import pickle
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.dead_letters import DeadLetters
from transforms.duplicates import DuplicatesConfig, MarkDuplicates
from transforms.identify_articles import IdentifyArticles
from transforms.language import LanguageConfig, LanguageIdentifier
from transforms.records import Article, Origin
from transforms.stories import LinkStories, StoriesConfig


def documents(folder: Path, sets: set[str] | None = None) -> list[dict[str, Any]]:
    """The documents of all `*.jsonl` and `*.jsonl.gz` in `folder` but the lists of pairs and of URLs."""
    found = []
    for path in sorted(folder.glob("*.jsonl*")):
        if not path.name.startswith(("pairs", "url")):
            found.extend(row for row in rows(path) if sets is None or row["set"] in sets)
    return found


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of one file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def as_article(row: dict[str, Any]) -> Article:
    """A document as it would come from a fetched page; its id is the input unit."""
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
    """What the stages said of one document."""

    unit: str
    article: str
    kind: str
    of: str | None
    score: float | None
    story: str | None


def line_of(article: Article) -> str:
    """The fields of `Marked` as JSON."""
    return json.dumps(
        (
            *(article.origin.unit, article.id, article.duplicate_kind),
            *(article.duplicate_of, article.duplicate_score, article.story_id),
        )
    )


def read_back(path: str) -> Sequence[Article]:
    """The articles that a file of this run holds. (What `Create` does with large values is not to be measured.)"""
    found: Sequence[Article] = pickle.loads(Path(path).read_bytes())  # noqa: S301 - written by this run
    return found


def mark(
    articles: Sequence[Article], beam_args: Sequence[str], shards: int, stories: bool = False
) -> tuple[list[Marked], float]:
    """Runs the stages in one pipeline; what they said, by unit, and the CPU-seconds that took."""
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "articles"
        stored.write_bytes(pickle.dumps(list(articles)))
        started = time.process_time()
        with beam.Pipeline(options=PipelineOptions(list(beam_args))) as pipeline:
            dead_letters = DeadLetters()
            identified = (
                pipeline
                | "File" >> beam.Create([str(stored)])
                | "Documents" >> beam.FlatMap(read_back).with_output_types(Article)
                | "Identify" >> IdentifyArticles(dead_letters)
            )
            if stories:
                identified = identified | "Language" >> beam.Map(LanguageIdentifier(LanguageConfig()))
            marked = identified | "Duplicates" >> MarkDuplicates(DuplicatesConfig(policy="label", shards=shards))
            if stories:
                marked = marked | "Stories" >> LinkStories(StoriesConfig(shards=shards))
            lines = marked | "As lines" >> beam.Map(line_of).with_output_types(str)
            lines | "Write" >> beam.io.WriteToText(f"{folder}/marked", num_shards=1)
        spent = time.process_time() - started
        written = next(Path(folder).glob("marked-*")).read_text(encoding="utf-8").splitlines()
    return sorted(Marked(*json.loads(line)) for line in written), spent
