"""`newsbeam prune`: removes what is old from an archive (`sqlite:`) and from the ledger, and gives the space back.

Pending inputs, what is known of feeds, and the memories of copies and stories stay, so that nothing is told twice. Safe
while a live run writes: rows go in small transactions.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from newsbeam.transforms.ledger.database import open_ledger
from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.runtime.database import code_of, in_words, open_database, write_transaction
from newsbeam.transforms.sinks.uri import parse_sink

BATCH = 1000
"""Rows of one transaction: a live run waits for a lock no longer than one takes, tens of milliseconds."""
SHRINK_WAIT_S = 10.0
"""For those who read or write the file just now; nothing is lost if they take longer, the file only stays large."""
SHARE_BY_SIZE = 0.05
"""Of the articles, removed at a time until the archive is small enough."""

_AT = "coalesce(nullif(first_seen_at, ''), fetched_at, published_at)"
"""When an article came, as the views of the archive order articles. One without any time is never old."""


@dataclass(frozen=True)
class Pruned:
    """What was removed from one file, or would be.

    Attributes:
        rows: table -> number of rows.
        before, after: size in bytes, with its write-ahead log.
        shrunk: whether the file was rewritten; if it was locked, its free pages are used for new rows instead.
    """

    file: str
    rows: dict[str, int]
    before: int
    after: int
    shrunk: bool = True

    def line(self) -> str:
        """For the screen."""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.rows.items())
        sizes = f"{self.before / 1e6:,.1f} MB before, {self.after / 1e6:,.1f} MB now"
        busy = "" if self.shrunk else "; it is in use, so the free space stays in the file for new rows"
        return f"{self.file}: {counts} removed; {sizes}{busy}"


def prune(
    sink: str, ledger: str, older: timedelta | None, larger: int | None, dry_run: bool, now: datetime
) -> list[Pruned]:
    """Prunes an archive and a ledger; either may be missing, but not both.

    Args:
        older: remove what came longer ago, None for any age.
        larger: remove the oldest articles until the archive has at most so many bytes, None for any size.
        dry_run: only count.
        now: with its zone.

    Raises:
        UsageError: neither file is there; the sink is not `sqlite:`; a file is not of newsbeam, or cannot be written.
    """
    if older is None and larger is None:
        raise UsageError("say what to remove: --older 90d, --larger 10GB, or both")
    if dry_run and larger is not None:
        raise UsageError("--dry-run counts what --older removes; what --larger removes is known only afterwards")
    spec = parse_sink(sink)
    if spec.kind.scheme != "sqlite":
        raise UsageError(f"{sink}: only sqlite: archives can be pruned here; docs/running.md tells how others are")
    archive = Path(spec.target)
    files = [file for file in (archive, Path(ledger)) if file.is_file()]
    if not files:
        raise UsageError(
            f"neither {archive} nor {ledger} is there; name them with --from sqlite:FILE and --ledger FILE"
        )
    before = (now - older).astimezone(timezone.utc) if older is not None else None
    pruned = []
    for file in files:
        with _in_one_sentence(file):
            if file == archive:
                pruned.append(_prune_archive(file, before, larger, dry_run))
            else:
                pruned.append(_prune_ledger(file, before, dry_run))
    return pruned


def _prune_archive(file: Path, before: datetime | None, larger: int | None, dry_run: bool) -> Pruned:
    bytes_before = _bytes_of(file)
    with closing(open_database(file)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles_fts'").fetchone():
            raise UsageError(f"{file}: is not an archive of newsbeam")
        old, when = f"{_AT} < ?", (_text(before),)
        if dry_run:
            counted = database.execute(f"SELECT count(*) FROM articles WHERE {old}", when).fetchone()[0]  # noqa: S608
            return Pruned(f"{file} (nothing was changed)", {"articles": counted}, bytes_before, bytes_before)
        rows = {"articles": 0, "revisions": 0, "dead letters": 0}
        if before:
            _remove_articles(database, f"SELECT doc FROM articles WHERE {old} LIMIT {BATCH}", when, rows)  # noqa: S608
            rows["dead letters"] = _remove(database, "dead_letters", "first_failed_at < ?", when)
        if larger is not None:
            _prune_by_size(database, larger, rows)
        shrunk = _shrink(database)
    return Pruned(str(file), rows, bytes_before, _bytes_of(file), shrunk)


def _prune_by_size(database: sqlite3.Connection, larger: int, rows: dict[str, int]) -> None:
    """Removes the oldest articles, a share at a time, until the pages in use are small enough."""
    while _used(database) > larger:
        (articles,) = database.execute("SELECT count(*) FROM articles").fetchone()
        count = max(1, int(articles * SHARE_BY_SIZE))
        oldest = f"SELECT doc FROM articles ORDER BY {_AT} NULLS FIRST, doc LIMIT {count}"  # noqa: S608
        if not articles:
            return
        _remove_articles(database, oldest, (), rows, once=True)
        database.execute("INSERT INTO articles_fts(articles_fts) VALUES ('optimize')")


def _remove_articles(
    database: sqlite3.Connection, select: str, values: tuple[str, ...], rows: dict[str, int], once: bool = False
) -> None:
    """Removes the articles that `select` gives by their `doc`, with their revisions; again until it gives none."""
    while True:
        with write_transaction(database):
            docs = database.execute(select, values).fetchall()
            for table, column, key in (("revisions", "id", "id"), ("articles", "doc", "doc")):
                gone = f"DELETE FROM {table} WHERE {column} = (SELECT {key} FROM articles WHERE doc = ?)"  # noqa: S608
                rows[table] += database.executemany(gone, docs).rowcount
        if once or not docs:
            return


def _prune_ledger(file: Path, before: datetime | None, dry_run: bool) -> Pruned:
    """Removes inputs that ended longer ago. Pending ones have no time of their end, and stay."""
    bytes_before = _bytes_of(file)
    with closing(open_ledger(str(file))) as database:
        old, when = "outcome <> '' AND settled_at < ?", (before.timestamp() if before else 0.0,)
        if dry_run:
            counted = database.execute(f"SELECT count(*) FROM units WHERE {old}", when).fetchone()[0]  # noqa: S608
            return Pruned(f"{file} (nothing was changed)", {"inputs": counted}, bytes_before, bytes_before)
        rows = {"inputs": _remove(database, "units", old, when)}
        shrunk = _shrink(database)
    return Pruned(str(file), rows, bytes_before, _bytes_of(file), shrunk)


def _remove(database: sqlite3.Connection, table: str, old: str, values: tuple[object, ...]) -> int:
    """Removes the rows of a table that are `old`, in batches; returns how many they were."""
    batch = f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE {old} LIMIT {BATCH})"  # noqa: S608
    removed = 0
    while True:
        with write_transaction(database):
            gone = database.execute(batch, values).rowcount
        removed += gone
        if not gone:
            return removed


def _shrink(database: sqlite3.Connection) -> bool:
    """Rewrites the file without its free pages; False if another process keeps it locked."""
    try:
        database.execute(f"PRAGMA busy_timeout = {int(SHRINK_WAIT_S * 1000)}")
        database.execute("VACUUM")
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if code_of(error) in ("BUSY", "LOCKED"):
            return False
        raise
    return not busy


def _used(database: sqlite3.Connection) -> int:
    """Bytes of the pages that hold something."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, bytes_of_page = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * bytes_of_page)


def _bytes_of(file: Path) -> int:
    return sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())


def _text(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


@contextmanager
def _in_one_sentence(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise UsageError(f"{file}: {in_words(error)}", address=str(file)) from error
