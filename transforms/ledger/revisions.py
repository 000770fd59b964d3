"""The numbers of revisions in the ledger, for sinks that do not know what they hold: files, topics, webhooks.

A number is written down before any sink has its record. Killed in between, the next run finds the number again, for the
content is the same.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.ledger.database import open_ledger
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.revisions import Standing, Version, place, renumbered, version_of
from newsbeam.transforms.runtime.database import until_written, write_transaction

NUMBERED_AT_ONCE = 500
"""Articles of one transaction."""


def number_revisions(file: str, articles: Sequence[Article]) -> list[Article]:
    """The articles, in their order, with the numbers that their contents have in the ledger `file`; new ones get the
    next number of their id.

    Raises:
        sqlite3.OperationalError: the ledger cannot be written now; nothing was.
    """
    ids = sorted({article.id for article in articles})
    known: dict[str, list[Version]] = {article_id: [] for article_id in ids}
    numbered: dict[int, Article] = {}
    new: list[tuple[str, int, str, Any]] = []
    with closing(open_ledger(file)) as database, write_transaction(database):
        rows = database.execute(
            "SELECT article_id, revision, content, seen FROM revisions JOIN json_each(?) ON article_id = value",
            (json.dumps(ids),),
        )
        for article_id, revision, content, seen in rows:
            known[article_id].append(Version(revision, content, seen))
        for at, article in sorted(enumerate(articles), key=lambda item: (item[1].id, version_of(item[1]).revision)):
            version = version_of(article)
            placed = place(known[article.id], version)
            if placed.standing is Standing.NEW:
                known[article.id].append(version._replace(revision=placed.revision))
                new.append((article.id, placed.revision, version.content, version.seen))
            numbered[at] = renumbered(article, placed.revision)
        database.executemany("INSERT INTO revisions VALUES (?, ?, ?, ?)", new)
    return [numbered[at] for at in range(len(articles))]


class _Number(beam.DoFn):
    """Numbers the articles of a bundle together; those that no sink gets pass as they are."""

    def __init__(self, file: str, is_written: Callable[[Article], bool]) -> None:
        self._file = file
        self._is_written = is_written

    def start_bundle(self) -> None:
        self._held: list[tuple[Article, Any, Any]] = []

    def process(
        self, article: Article, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Any]:
        self._held.append((article, timestamp, window))
        if len(self._held) >= NUMBERED_AT_ONCE:
            yield from self.finish_bundle()

    def finish_bundle(self) -> Iterator[Any]:
        held, self._held = self._held, []
        chosen = [article for article, _, _ in held if self._is_written(article)]
        numbered = iter(until_written(lambda: number_revisions(self._file, chosen)) if chosen else ())
        for article, timestamp, window in held:
            yield WindowedValue(next(numbered) if self._is_written(article) else article, timestamp, (window,))


class NumberRevisions(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Gives each article the number that its content has in the ledger, and that no other content of its id has.

    Args:
        file: the ledger's.
        is_written: whether the sinks get an article.
    """

    def __init__(self, file: str, is_written: Callable[[Article], bool]) -> None:
        super().__init__()
        self._number = _Number(file, is_written)

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        return articles | "Number" >> beam.ParDo(self._number).with_output_types(Article)
