"""Copies SQLite files (ledger, spool, archive) into a new folder while a run writes them.

    python deploy/backup.py --to BACKUPS [--keep 7] out/ledger.db out/news.db

Files are copied in the order given: name the ledger first. An archive that is newer than its ledger loses nothing (what
the ledger does not know is fetched again and found in the archive); one that is older does. Each copy is checked. The
folder gets its name, the time in UTC, when all copies are whole. With --keep, older folders are removed afterwards.
"""

import argparse
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

PAGES_A_STEP = 1000
"""Of 4 KiB: between two steps a writer gets its turn."""
COMPLETE = re.compile(r"\d{8}T\d{6}Z")


class BackupError(Exception):
    """A backup could not be made; the message is one sentence."""


def copy(source: Path, target: Path) -> None:
    """Copies one database as it is at one moment, and checks the copy.

    Raises:
        BackupError: it is not there, no SQLite file, or damaged.
    """
    if not source.is_file():
        raise BackupError(f"{source}: there is no such file")
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as read,
            closing(sqlite3.connect(target)) as copied,
        ):
            read.backup(copied, pages=PAGES_A_STEP)
            (verdict,) = copied.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"{source}: cannot be copied: {error}") from error
    if verdict != "ok":
        raise BackupError(f"{source}: the copy is damaged: {verdict}")


def back_up(sources: list[Path], backups: Path, now: datetime, keep: int = 0) -> Path:
    """Copies all files into a new folder below `backups`; keeps the newest `keep` folders, all if 0."""
    if len({source.name for source in sources}) < len(sources):
        raise BackupError("two of the files have the same name; back them up into different folders")
    folder = backups / now.strftime("%Y%m%dT%H%M%SZ")
    partial = backups / f".{folder.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for source in sources:
            copy(source, partial / source.name)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    complete = sorted(path for path in backups.iterdir() if COMPLETE.fullmatch(path.name))
    for old in complete[:-keep] if keep else []:
        shutil.rmtree(old)
    return folder


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="+", type=Path, help="SQLite files, the ledger first")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="each backup is a folder in it")
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="remove all but the newest N (default: none)")
    given = parser.parse_args(arguments)
    try:
        print(back_up(given.file, given.to, datetime.now(timezone.utc), given.keep))  # noqa: T201 - for scripts
    except (BackupError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the same
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
