"""How a ledger, new or of an older newsbeam, gets the tables of this one."""

import sqlite3
from collections.abc import Sequence

from newsbeam.transforms.ledger.schema import FEEDS, LOGS, MESSAGES, REFUSED, REVISIONS, UNITS, VERSION
from newsbeam.transforms.model.errors import LedgerError
from newsbeam.transforms.runtime.database import statements, write_transaction

MIGRATIONS: Sequence[str] = (
    UNITS,
    LOGS + FEEDS + MESSAGES + REVISIONS + REFUSED,
)
"""Step n takes a file of version n to n + 1. Version 1 made the tables beside `units` as they were first used, so a
step makes only what is missing."""


def migrate(database: sqlite3.Connection, file: str) -> None:
    """Brings the tables of an open ledger to `VERSION`. Does nothing, and takes no lock, where they are.

    Raises:
        LedgerError: the file was written by a newer newsbeam, or by something else.
        sqlite3.Error: see `runtime.database.in_words`.
    """
    if check_version(database, file) == VERSION:
        return
    with write_transaction(database):
        version = check_version(database, file)
        for step in MIGRATIONS[version:]:
            for statement in statements(step):
                database.execute(statement)
        if version < VERSION:
            database.execute(f"PRAGMA user_version = {VERSION}")


def check_version(database: sqlite3.Connection, file: str) -> int:
    """Returns the version of the tables, 0 for an empty file.

    Raises:
        LedgerError: this newsbeam cannot use it.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LedgerError(
            f"{file}: written by a newer newsbeam (version {version}; this one knows {VERSION}): use a newer newsbeam",
            address=file,
        )
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "units" not in tables:
        raise LedgerError(
            f"{file} is no ledger, but a database with {', '.join(sorted(tables)[:3])}: name another file",
            address=file,
        )
    return int(version)
