"""`postgresql://`: tables like those of `sqlite:`, for many writers and readers at once.

A batch is copied into a staging table and upserted from there by id and revision, in one transaction; a content of an
article that is not there yet becomes a revision of its own (`model.revisions`). The address is libpq's own
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING): `?sslmode=require`, or
`?options=-csearch_path%3Dnews` for a schema of its own; a password is better left to `PGPASSWORD` or a password file,
for a URI shows in process lists and job graphs.
"""

from collections.abc import Sequence
from typing import Optional

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import Rejected, SinkAway, SinkError
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.revisions import (
    VERSION_FIELDS,
    Standing,
    Version,
    in_order_of_revision,
    newest,
    place,
    renumbered,
    version_of,
    version_of_row,
)
from newsbeam.transforms.model.serialization import (
    ARTICLE_FIELDS,
    DEAD_LETTER_FIELDS,
    Json,
    article_to_dict,
    dead_letter_to_dict,
    json_text,
    safe_text,
)
from newsbeam.transforms.sinks.postgresql_schema import WRITERS_LOCK, columns, migrate
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

_JSON = frozenset(name for name, kind in columns().items() if kind == "jsonb")
_NAMES = ", ".join(ARTICLE_FIELDS)
_STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staging"
    f" ({', '.join(f'{name} {kind}' for name, kind in columns().items())}, is_newest boolean) ON COMMIT DELETE ROWS"
)
_DEAD_STAGING = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS dead_staging"
    f" ({', '.join(name + (' bigint' if name == 'attempts' else ' text') for name in DEAD_LETTER_FIELDS)})"
    " ON COMMIT DELETE ROWS"
)
_KNOWN = f"""
SELECT id, {", ".join(VERSION_FIELDS)} FROM articles WHERE id = ANY(%(ids)s)
UNION ALL
SELECT id, revision, {", ".join(f"record->>'{name}'" for name in VERSION_FIELDS[1:])}
FROM article_revisions WHERE id = ANY(%(ids)s)
"""  # noqa: S608  # names of our own fields
_UPSERT = f"""
INSERT INTO articles ({_NAMES})
SELECT {_NAMES} FROM staging WHERE is_newest ORDER BY id
ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in ARTICLE_FIELDS)}
WHERE ({", ".join(f"excluded.{name}" for name in ARTICLE_FIELDS)})
    IS DISTINCT FROM ({", ".join(f"articles.{name}" for name in ARTICLE_FIELDS)})
RETURNING xmax = 0
"""  # noqa: S608  # names of our own fields
_KEEP_OLDER = """
INSERT INTO article_revisions (id, revision, record)
SELECT id, revision, to_jsonb(staging) - 'is_newest' FROM staging WHERE NOT is_newest ORDER BY 1, 2
ON CONFLICT (id, revision) DO UPDATE SET record = excluded.record
WHERE article_revisions.record IS DISTINCT FROM excluded.record
RETURNING xmax = 0
"""
_UPSERT_DEAD = f"""
INSERT INTO dead_letters ({", ".join(DEAD_LETTER_FIELDS)})
SELECT DISTINCT ON (unit, stage, reason, url, feed_url) {", ".join(DEAD_LETTER_FIELDS)} FROM dead_staging
ORDER BY unit, stage, reason, url, feed_url, attempts DESC
ON CONFLICT (unit, stage, reason, url, feed_url) DO UPDATE
SET message = excluded.message, attempts = excluded.attempts, payload_ref = excluded.payload_ref
"""  # noqa: S608


class PostgresqlSink:
    """Upserts into one database, a transaction a batch."""

    def __init__(self, address: str) -> None:
        self._address = Address(address)
        self._connection: Optional[psycopg.Connection] = None

    def open(self) -> None:
        try:
            self._connection = _connect(self._address.whole)
            migrate(self._connection)
            with self._connection.transaction():
                self._connection.execute(_STAGING.encode())
                self._connection.execute(_DEAD_STAGING.encode())
        except psycopg.Error as error:
            raise SinkAway(self._address.hide(_said(error))) from error

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self._connection is None:
            raise RuntimeError("open() comes before write()")
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                counts = _write_articles(cursor, [r for r in batch if isinstance(r, Article)])
                _write_dead_letters(cursor, [r for r in batch if isinstance(r, DeadLetter)])
        except (errors.DataError, errors.ProgramLimitExceeded) as error:
            raise Rejected("not_storable", f"PostgreSQL will not take it: {_said(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction) as error:
            raise SinkAway(self._address.hide(_said(error))) from error
        return counts

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(address: str) -> psycopg.Connection:
    # without keepalives a server that vanished is noticed after two hours
    defaults = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    defaults = {name: value for name, value in defaults.items() if name not in conninfo_to_dict(address)}
    return psycopg.connect(make_conninfo(address, **defaults), autocommit=True)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())


def _row(article: Article) -> list[Json]:
    values = article_to_dict(article)
    return [json_text(values[name]) if name in _JSON else values[name] for name in ARTICLE_FIELDS]


def _write_articles(cursor: psycopg.Cursor, articles: Sequence[Article]) -> WriteCounts:
    """Puts each article where its content belongs: the newest is in `articles`, the others in `article_revisions`."""
    if not articles:
        return WriteCounts()
    # one writer at a time: what another one is writing has no number yet
    cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (WRITERS_LOCK,))
    known = _known(cursor, sorted({safe_text(article.id) for article in articles}))
    rows: dict[tuple[str, int], Article] = {}
    nothing_new = 0
    for article in in_order_of_revision(articles):
        versions, own = known.setdefault(safe_text(article.id), []), version_of(article)
        placed = place(versions, own)
        if placed.standing is Standing.KNOWN:
            nothing_new += 1
            continue
        if placed.standing is Standing.NEW:
            versions.append(own._replace(revision=placed.revision))
        rows[safe_text(article.id), placed.revision] = renumbered(article, placed.revision)
    with cursor.copy(f"COPY staging ({_NAMES}, is_newest) FROM STDIN".encode()) as copy:
        for (article_id, revision), article in rows.items():
            copy.write_row([*_row(article), newest(known[article_id]).revision == revision])
    written = cursor.execute(_UPSERT.encode()).fetchall() + cursor.execute(_KEEP_OLDER).fetchall()
    inserted = sum(is_new for (is_new,) in written)
    return WriteCounts(inserted, len(written) - inserted, len(rows) - len(written) + nothing_new)


def _known(cursor: psycopg.Cursor, ids: Sequence[str]) -> dict[str, list[Version]]:
    known: dict[str, list[Version]] = {}
    for article_id, *row in cursor.execute(_KNOWN.encode(), {"ids": ids}):
        known.setdefault(article_id, []).append(version_of_row(dict(zip(VERSION_FIELDS, row, strict=True))))
    return known


def _write_dead_letters(cursor: psycopg.Cursor, letters: Sequence[DeadLetter]) -> None:
    if not letters:
        return
    with cursor.copy(f"COPY dead_staging ({', '.join(DEAD_LETTER_FIELDS)}) FROM STDIN".encode()) as copy:
        for letter in letters:
            copy.write_row(list(dead_letter_to_dict(letter).values()))
    cursor.execute(_UPSERT_DEAD.encode())


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return PostgresqlSink(target)


def check(target: str) -> None:
    """Connects, makes the tables or brings them up to date. Raises `SinkError` where that is not possible."""
    address = Address(target)
    shown = str(address).partition("://")[2]
    try:
        with _connect(target) as connection:
            migrate(connection)
    except SinkError as error:
        raise SinkError(f"PostgreSQL at {shown}: {error}", address=str(address)) from error
    except psycopg.Error as error:
        raise SinkError(
            f"PostgreSQL at {shown} cannot be used: {address.hide(_said(error))}", address=str(address)
        ) from error


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
