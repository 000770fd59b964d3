"""Opens the ledger: an SQLite file beside the output, which any number of processes share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from newsbeam.transforms.ledger.migrations import check_version, migrate
from newsbeam.transforms.model.errors import LedgerError
from newsbeam.transforms.runtime.database import WAIT_S, in_words, may_pass, open_database, open_read_only


def open_ledger(file: str, wait_s: float = WAIT_S) -> sqlite3.Connection:
    """Opens a ledger for writing; makes it, or brings its tables up to date, where that is needed.

    Raises:
        LedgerError: it is damaged, of a newer newsbeam, or no ledger. The message is one sentence.
        sqlite3.OperationalError: it cannot be written now (`may_pass`): locked, disk full, folder not writable.
    """
    with _in_one_sentence(file):
        database = open_database(file, wait_s=wait_s)
        try:
            migrate(database, file)
        except BaseException:
            database.close()
            raise
        return database


def read_ledger_file(file: str) -> sqlite3.Connection:
    """Opens a ledger for reading only: a shared or archived one too, also while a run writes it.

    Raises:
        LedgerError: it is not there, damaged, of a newer newsbeam, no ledger, or cannot be opened.
    """
    if not Path(file).is_file():
        raise LedgerError(f"{file}: there is no such ledger; name it with --ledger FILE", address=file)
    try:
        with _in_one_sentence(file):
            database = open_read_only(file)
            try:
                check_version(database, file)
            except BaseException:
                database.close()
                raise
            return database
    except sqlite3.OperationalError as error:
        raise LedgerError(f"the ledger {file} cannot be read: {in_words(error)}", address=file) from error


def check_ledger(file: str) -> None:
    """Makes the folder and the ledger, before the work starts.

    Raises:
        LedgerError: it cannot be used, or not be written.
    """
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with closing(open_ledger(file)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {file} cannot be written: {in_words(error)}", address=file) from error
    except OSError as error:
        raise LedgerError(f"the ledger {file} cannot be written: {error.strerror or error}", address=file) from error


@contextmanager
def _in_one_sentence(file: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if may_pass(error):
            raise
        raise LedgerError(f"the ledger {file} cannot be used: {in_words(error)}", address=file) from error
