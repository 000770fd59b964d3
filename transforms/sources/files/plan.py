"""All units of a replay in their total order, in a SQLite file: a plan of any size takes no memory."""

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.runtime.database import open_read_only

_COLUMNS = "path, source, name, form, offset, length, digest, seen_at, url, may_be_feed, reason, message"


def write_plan(units: Iterable[Unit], file: Path) -> int:
    """Writes the units to `file`, in the order of their rank, and returns how many there are."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"CREATE TABLE found (rank TEXT, {_COLUMNS}); CREATE TABLE plan (position INTEGER PRIMARY KEY, {_COLUMNS});"
        )
        database.executemany(
            "INSERT INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    u.rank,
                    os.fsencode(u.path),  # a name need not be UTF-8
                    u.source,
                    u.name,
                    u.form.value,
                    u.offset,
                    u.length,
                    u.digest,
                    u.seen_at,
                    u.url,
                    u.may_be_feed,
                    u.reason,
                    u.message,
                )
                for u in units
            ),
        )
        database.execute(
            f"INSERT INTO plan SELECT row_number() OVER (ORDER BY rank) - 1, {_COLUMNS} FROM found ORDER BY rank"  # noqa: S608 - a constant
        )
        database.execute("DROP TABLE found")
        database.commit()
        (count,) = database.execute("SELECT count(*) FROM plan").fetchone()
    return int(count)


def read_plan(file: str, start: int, stop: int = sys.maxsize) -> Iterator[Unit]:
    """The units at the positions `start` <= n < `stop`."""
    with closing(open_read_only(file)) as database:
        rows = database.execute(
            f"SELECT {_COLUMNS}, position FROM plan WHERE position >= ? AND position < ? ORDER BY position",  # noqa: S608 - a constant
            (start, stop),
        )
        names = [column.strip() for column in _COLUMNS.split(",")] + ["position"]
        for row in rows:
            fields = dict(zip(names, row, strict=True))
            fields |= {"path": os.fsdecode(fields["path"]), "form": Form(fields["form"])}
            yield Unit(**{**fields, "may_be_feed": bool(fields["may_be_feed"])})
