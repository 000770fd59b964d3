"""`jsonl:`: one record a line. A file (`jsonl:out/stories.jsonl`) or a folder with a file a day (`jsonl:out/`).

In replay a file appears complete and sorted by (id, revision) at the end of the run, and is the same bytes whatever
the order of the input and the number of workers. Live, lines are appended as records come, can be followed with
`tail -f`, and a file is sorted and rid of repeats when its day has passed or the run ends. Dead letters go to a file of
their own beside: `stories.dead.jsonl`.

Several processes of one machine may write at once: every append holds a lock on the file.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from newsbeam.transforms.model.errors import SinkAway, SinkError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.jsonl_merge import is_half_written, key_of, merge_lines
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONGEST_LINE = 64_000_000

UNDATED = "undated"


def is_folder(target: str) -> bool:
    """Whether a path means a folder with a file a day: it ends in `/`, or is one already."""
    return target.endswith("/") or Path(target).is_dir()


def day_of(record: Record) -> str:
    """The day a record belongs to in a folder (UTC): when it was first seen, never the clock. `undated` if unknown."""
    when = (
        (record.first_seen_at or record.fetched_at or record.published_at)
        if isinstance(record, Article)
        else record.first_failed_at
    )
    return when[:10] if when and _DAY.match(when) else UNDATED


def dead_letters_beside(path: Path) -> Path:
    """Where the dead letters of a run stand that writes to `path`."""
    stem = path.name.removesuffix(".jsonl")
    return path.with_name(f"{stem}.dead.jsonl")


def unfinished(path: Path) -> Path:
    """Where a replay gathers the lines of `path` until it ends."""
    return path.with_name(f".{path.name}.unfinished")


def is_special(target: str) -> bool:
    """Whether a path is a device, a pipe or a socket (`/dev/null`): lines go through it, and nothing is kept there."""
    path = Path(target)
    return path.exists() and not path.is_file() and not path.is_dir()


class JsonlSink:
    """Appends lines, durably, a batch at a time."""

    def __init__(self, target: str, *, live: bool) -> None:
        self._target = target
        self._folder = is_folder(target)
        self._live = live
        self._newest_day = ""

    def open(self) -> None:
        pass

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if is_special(self._target):
            return self._pass_on(batch)
        lines: dict[Path, list[str]] = {}
        for record in batch:
            lines.setdefault(self._path(record), []).append(to_json(record) + "\n")
        try:
            for path, of_path in lines.items():
                _append(path, "".join(of_path).encode())
            if self._folder and self._live:
                self._close_days(max((day for r in batch if (day := day_of(r)) != UNDATED), default=""))
        except OSError as error:
            raise SinkAway(f"{self._target}: {error.strerror or error}", address=self._target) from error
        return WriteCounts()

    def close(self) -> None:
        pass

    def _pass_on(self, batch: Sequence[Record]) -> WriteCounts:
        """Writes articles in the order they come; dead letters go to the other sinks and the closing table."""
        lines = [to_json(record) + "\n" for record in batch if isinstance(record, Article)]
        try:
            with Path(self._target).open("wb") as device:
                device.write("".join(lines).encode())
        except OSError as error:
            raise SinkAway(f"{self._target}: {error.strerror or error}", address=self._target) from error
        return WriteCounts()

    def _path(self, record: Record) -> Path:
        path = _file_of(self._target)
        if self._folder:
            path = path / f"stories-{day_of(record)}.jsonl"
        if not isinstance(record, Article):
            path = dead_letters_beside(path)
        return path if self._live else unfinished(path)

    def _close_days(self, day: str) -> None:
        """Sorts the files of earlier days once a record of a later one has come."""
        if day <= self._newest_day:
            return
        self._newest_day = day
        for path in _files_of(self._target):
            date = _DAY.search(path.name)
            if date and date.group() < day:
                _compact(path)


def _file_of(target: str) -> Path:
    """The file itself, where the user named a link to it: a link is never replaced by a file."""
    path = Path(target)
    return path.resolve() if path.is_symlink() else path


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return JsonlSink(target, live=live)


def check(target: str) -> None:
    """Makes the folder and tries it. Raises `SinkError` if lines cannot be written there."""
    path = _file_of(target)
    try:
        if is_special(target):
            path.open("wb").close()
            return
        folder = path if is_folder(target) else path.parent
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if not is_folder(target) and path.exists():
            with path.open("r+b") as file:
                start = file.readline(_LONGEST_LINE)
            if start and key_of(start) is None:
                message = f"'jsonl:{target}' holds something that newsbeam did not write: name another file"
                raise SinkError(message, address=target)
    except OSError as error:
        message = f"'jsonl:{target}' cannot be written: {error.strerror or error} ({error.filename})"
        raise SinkError(message, address=target) from error


def finalize(target: str) -> WriteCounts:
    """Sorts every file of the sink and puts it in its place, with what a run (or one that was killed) has gathered."""
    counts = WriteCounts()
    if is_special(target):
        return counts
    if not is_folder(target):
        path = _file_of(target)
        counts += _compact(path)
        _compact(dead_letters_beside(path))
        if not path.exists() and path.parent.is_dir():
            path.touch()
        return counts
    for path in _files_of(target):
        counted = _compact(path)
        if not path.name.endswith(".dead.jsonl"):
            counts += counted
    return counts


def _files_of(target: str) -> list[Path]:
    folder = Path(target)
    finished = set(folder.glob("stories-*.jsonl"))
    gathered = {
        path.with_name(path.name.removeprefix(".").removesuffix(".unfinished"))
        for path in folder.glob(".stories-*.jsonl.unfinished")
    }
    return sorted(finished | gathered)


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """`path` open for appending, held against other processes. It may have been replaced while we waited for it."""
    while True:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                is_current = os.fstat(file.fileno()).st_ino == path.stat().st_ino
            except FileNotFoundError:
                is_current = False
            if is_current:
                yield file
                return


def _append(path: Path, lines: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path) as file:
        end, needs_newline = _end_of_records(file)
        file.truncate(end)  # a line that a killed process left half written was never acknowledged
        try:
            file.write(b"\n" + lines if needs_newline else lines)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def _end_of_records(file: BinaryIO) -> tuple[int, bool]:
    """Where to append: after the last line, but before one that a killed process left half written.

    Returns:
        The number of bytes to keep, and whether the last of them lack their line end: a user's editor may leave it out.
    """
    end = size = file.seek(0, os.SEEK_END)
    start = 0
    while end > 0:
        block = max(0, end - 65536)
        file.seek(block)
        newline = file.read(end - block).rfind(b"\n")
        if newline >= 0:
            start = block + newline + 1
            break
        end = block
    if start == size:
        return size, False
    file.seek(start)
    return (start, False) if is_half_written(file.read()) else (size, True)


def _compact(path: Path) -> WriteCounts:
    gathered = unfinished(path)
    was_there = path.exists()
    if not gathered.exists():
        if not was_there:
            return WriteCounts()
        with _locked(path):
            return merge_lines(path, None)
    with _locked(gathered), _locked(path):
        counts = merge_lines(path, gathered)
        gathered.unlink()
    if not was_there and path.stat().st_size == 0:
        path.unlink()
    return counts
