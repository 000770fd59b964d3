"""Sorts files of JSON lines that may be larger than memory: only keys and positions are held, never bodies.

A line of an article costs about 500 bytes of memory: 500,000 lines, which is a busy day, 250 MB.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional

from newsbeam.transforms.model.revisions import Standing, Version, place, standing_fields, version_of_row
from newsbeam.transforms.model.serialization import json_text
from newsbeam.transforms.sinks.sink import WriteCounts

Key = tuple[str, int, str]
"""Id and revision of an article; unit and what failed where of a dead letter."""


class Line(NamedTuple):
    """Where a line stands, and the digest of its bytes."""

    file: int
    offset: int
    length: int
    digest: bytes


def key_of(line: bytes) -> Optional[Key]:
    """What a line is the record of: (id, revision) of an article, or what failed where of a dead letter.

    None for a line that is no record: half written, or not JSON.
    """
    record = _record(line)
    return _key(record) if record else None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _key(record: dict[str, Any]) -> Optional[Key]:
    if isinstance(record.get("id"), str) and isinstance(record.get("revision"), int):
        return record["id"], record["revision"], ""
    if isinstance(record.get("stage"), str):
        what = [str(record.get(name) or "") for name in ("url", "feed_url", "stage", "reason")]
        return str(record.get("unit") or ""), 0, "\x00".join(what)
    return None


_BEGINNINGS = (b'{"schema_version":', b'{"stage":')


def is_half_written(line: bytes) -> bool:
    """Whether the last line of a file is what a killed process of ours left of a record, and nobody else's text."""
    if line.endswith(b"\n") or _record(line):
        return False
    return any(line.startswith(beginning) or beginning.startswith(line) for beginning in _BEGINNINGS)


def merge_lines(path: Path, newer: Optional[Path]) -> WriteCounts:
    """Rewrites `path` as its own lines and those of `newer`, sorted by key.

    A content of an article that is not there yet becomes a revision of its own, and no line of another content is lost
    (`model.revisions`); of what is written twice the last line wins. `path` is replaced in one step, or left alone if
    it would not change. Lines that are no records of ours are kept, in front and in order: a file may hold more than
    newsbeam wrote.
    """
    merged = _Merged()
    for line, record in _lines(path, 0):
        merged.take(line, record)
    before, counts = dict(merged.lines), WriteCounts()
    if newer:
        merged.nothing_new = 0
        gathered = [(line, version_of_row(record), _key(record)) for line, record in _lines(newer, 1)]
        for line, version, key in sorted(filter(lambda one: one[2], gathered), key=_order):
            merged.place(line, version, key)
        counts = _compared(before, merged, newer)
    if not merged.is_changed and not counts.inserted and not counts.updated:
        return counts
    temporary = path.with_name(f".{path.name}.{os.getpid()}.sorted")
    _write_sorted(temporary, [path, newer] if newer else [path], merged)
    temporary.replace(path)
    _sync_folder(path.parent)
    return counts


def _order(gathered: tuple[Line, Version, Optional[Key]]) -> tuple[int, float, int]:
    line, version, _ = gathered
    return version.revision, float("-inf") if version.seen is None else version.seen, line.offset


@dataclass
class _Merged:
    """What the sorted file will hold.

    Attributes:
        lines: by key.
        strangers: lines that are no records.
        versions: of each article, in the order in which they were taken.
        renumbered: keys whose line bears another number.
        nothing_new: lines that tell a content which is there already.
        is_changed: whether lines of the first file are out of order, written twice, or half written.
    """

    lines: dict[Key, Line] = field(default_factory=dict)
    strangers: list[Line] = field(default_factory=list)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    renumbered: set[Key] = field(default_factory=set)
    nothing_new: int = 0
    is_changed: bool = False
    _last: Optional[Key] = None

    def take(self, line: Line, record: dict[str, Any]) -> None:
        """Takes the next line of the file itself; a number that is free stays as it is."""
        key = _key(record)
        if key is None:
            self.is_changed |= self._last is not None or not line.length
            if line.length:
                self.strangers.append(line)
            return
        self.is_changed |= self._last is not None and self._last >= key
        self._last = key
        if key in self.lines or key[2]:
            self.place(line, version_of_row(record), key)
        else:
            self.versions.setdefault(key[0], []).append(version_of_row(record))
            self.lines[key] = line

    def place(self, line: Line, version: Version, key: Optional[Key]) -> None:
        """Takes a line that may be known, or be in the way of another with its number."""
        if key is None:
            return
        if key[2]:  # a dead letter
            self.lines[key] = line
            return
        known = self.versions.setdefault(key[0], [])
        placed = place(known, version)
        if placed.standing is Standing.KNOWN:
            self.nothing_new += 1
            return
        if placed.standing is Standing.NEW:
            known.append(version._replace(revision=placed.revision))
        placed_key = (key[0], placed.revision, "")
        self.lines[placed_key] = line
        (self.renumbered.add if placed.revision != key[1] else self.renumbered.discard)(placed_key)


def _compared(before: dict[Key, Line], merged: _Merged, newer: Path) -> WriteCounts:
    """Counts what the second file brought, against what stood in the first."""
    inserted = updated = unchanged = 0
    with newer.open("rb") as file:
        for key in sorted(merged.renumbered):
            line = merged.lines[key]
            if line.file == 1:
                numbered = _numbered(_bytes_of([file, file], line), key)
                merged.lines[key] = line._replace(digest=_digest(numbered))
    for key, line in merged.lines.items():
        if line.file == 0:
            continue
        old = before.get(key)
        if old is None:
            inserted += 1
        elif old.digest == line.digest:
            unchanged += 1
        else:
            updated += 1
    return WriteCounts(inserted, updated, unchanged + merged.nothing_new)


def _write_sorted(target: Path, sources: Sequence[Path], merged: _Merged) -> None:
    files = [source.open("rb") for source in sources]
    try:
        with target.open("wb") as out:
            for line in merged.strangers:
                out.write(_bytes_of(files, line))
            for key in sorted(merged.lines):
                text = _bytes_of(files, merged.lines[key])
                out.write(_numbered(text, key) if key in merged.renumbered else text)
            out.flush()
            os.fsync(out.fileno())
    finally:
        for file in files:
            file.close()


def _bytes_of(files: Sequence[Any], line: Line) -> bytes:
    files[line.file].seek(line.offset)
    text: bytes = files[line.file].read(line.length)
    return text if text.endswith(b"\n") else text + b"\n"


def _numbered(line: bytes, key: Key) -> bytes:
    """The line of a record under the number that its key has by now."""
    article_id, revision, _ = key
    record = _record(line)
    kind, of = standing_fields(
        article_id, str(record.get("duplicate_kind") or "unique"), record.get("duplicate_of"), revision
    )
    return json_text(record | {"revision": revision, "duplicate_kind": kind, "duplicate_of": of}).encode() + b"\n"


def _lines(source: Path, number: int) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Every line of a file with its record; of one that was half written nothing but where it stands."""
    offset = 0
    with source.open("rb") as file:
        for text in file:
            record = _record(text)
            length = 0 if not record and is_half_written(text) else len(text)
            yield Line(number, offset, length, _digest(text)), record
            offset += len(text)


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line.rstrip(b"\n"), digest_size=8).digest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
