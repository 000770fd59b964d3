"""SQLite files: the one place that opens them, waits for them, and says in words what is wrong with them."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar, Union

from newsbeam.transforms.runtime.backoff import backoff
from newsbeam.transforms.runtime.stopping import pause, stop_requested

WAIT_S = 60.0
"""How long a statement waits for another process's write lock."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
"""Between tries of a write that a full disk or a lock holds up (`until_written`)."""

_PASSING = frozenset({"BUSY", "LOCKED", "READONLY", "IOERR", "FULL", "CANTOPEN"})
_CODES = {
    5: "BUSY", 6: "LOCKED", 7: "NOMEM", 8: "READONLY", 10: "IOERR", 11: "CORRUPT", 13: "FULL", 14: "CANTOPEN",
    18: "TOOBIG", 19: "CONSTRAINT", 26: "NOTADB",
}  # fmt: skip
"""https://www.sqlite.org/rescode.html"""
_SAID = {
    "locked": "BUSY",
    "readonly database": "READONLY",
    "disk I/O error": "IOERR",
    "malformed": "CORRUPT",
    "is full": "FULL",
    "unable to open": "CANTOPEN",
    "too big": "TOOBIG",
    "not a database": "NOTADB",
}
"""Python 3.10 does not tell the code, only the message."""
_WORDS = {
    "BUSY": "another process has kept it locked",
    "LOCKED": "another process has kept it locked",
    "READONLY": "it may not be written: check the permissions of the file and its folder",
    "IOERR": "the disk cannot be read or written",
    "CORRUPT": "it is damaged: restore it from a backup, or name another file",
    "FULL": "the disk is full",
    "CANTOPEN": "it cannot be opened: check that the folder is there and the permissions of both",
    "NOTADB": "it is not an SQLite database: name another file",
}

_log = logging.getLogger(__name__)
R = TypeVar("R")


def open_database(
    file: Union[str, Path], *, wait_s: float = WAIT_S, synchronous: Literal["NORMAL", "FULL"] = "NORMAL"
) -> sqlite3.Connection:
    """Opens or makes a file for reading and writing, in WAL mode, so that readers never wait.

    Statements commit by themselves; `write_transaction` groups them. A connection may pass between threads, one at a
    time: a runner sets up, uses and closes what a worker has on different ones.

    Args:
        file: its path.
        wait_s: for another process that writes.
        synchronous: `NORMAL` survives a kill, `FULL` a power cut too (https://www.sqlite.org/pragma.html#pragma_synchronous).

    Raises:
        sqlite3.Error: see `in_words`.
    """
    connection = sqlite3.connect(file, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_read_only(file: Union[str, Path], *, wait_s: float = WAIT_S) -> sqlite3.Connection:
    """Opens a file that is there for reading, also while another process writes it, and never changes anything.

    A file whose folder may not be written cannot be opened in WAL mode unless a writer has it open. Nobody can be
    writing it then, and it is read as it stands (`immutable`).

    Raises:
        sqlite3.Error: see `in_words`.
    """
    address = Path(file).absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True, timeout=wait_s, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.OperationalError as error:
        connection.close()
        if code_of(error) not in ("CANTOPEN", "READONLY") or Path(f"{file}-wal").exists() or not Path(file).exists():
            raise
        connection = sqlite3.connect(f"{address}?immutable=1", uri=True, check_same_thread=False)
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def write_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that takes the write lock at its start, so that it never has to be upgraded half way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def statements(script: str) -> list[str]:
    """The single statements of a script: `executescript` would commit the transaction that a migration is."""
    complete: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            complete.append(pending)
            pending = ""
    return complete


def until_written(write: Callable[[], R], what: str = "the ledger") -> R:
    """Retries `write` while the disk is full or the file is locked; returns its result.

    Raises:
        sqlite3.OperationalError: the run is to stop, or waiting would not help. What was not written is still pending.
    """
    failures = 0
    while True:
        try:
            return write()
        except sqlite3.OperationalError as error:
            if stop_requested() or not may_pass(error):
                raise
            failures += 1
            wait_s = backoff(failures, FIRST_WAIT_S, LONGEST_WAIT_S)
            _log.warning("%s cannot be written (%s): next try in %.1f s", what, error, wait_s)
            pause(wait_s)


def may_pass(error: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later: a lock, a full disk, a mount that is away for a while."""
    return code_of(error) in _PASSING


def code_of(error: sqlite3.Error) -> str:
    """The name of the primary result code, without `SQLITE_`; empty if it is none that is told apart here."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _CODES.get(code & 0xFF, "")
    return next((name for said, name in _SAID.items() if said in str(error)), "")


def in_words(error: sqlite3.Error) -> str:
    """What is wrong with the file, and what to do: the end of a sentence that begins with its name."""
    return _WORDS.get(code_of(error), str(error))
