"""Sorts files of JSON lines that may be larger than memory: only keys and places are held, never bodies.

32 million lines of 3 KB each would be 100 GB of file and about 5 GB of keys.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Optional

from newsbeam.transforms.sinks.sink import WriteCounts

Key = tuple[str, int, str]
Place = tuple[int, int, int]
"""Which file, offset, length."""


def key_of(line: bytes) -> Optional[Key]:
    """What a line is the record of: (id, revision) of an article, or what failed where of a dead letter.

    None for a line that is no record: half written, or not JSON.
    """
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("id"), str) and isinstance(record.get("revision"), int):
        return record["id"], record["revision"], ""
    if isinstance(record.get("stage"), str):
        what = [str(record.get(name) or "") for name in ("url", "feed_url", "stage", "reason")]
        return str(record.get("unit") or ""), 0, "\x00".join(what)
    return None


def merge_lines(path: Path, newer: Optional[Path]) -> WriteCounts:
    """Rewrites `path` as its own lines and those of `newer`, sorted by key; of one key the last line wins.

    `path` is replaced in one step, or left alone if it would not change. Lines that are no records of ours are kept, in
    front and in order: a file may hold more than newsbeam wrote.
    """
    places: dict[Key, Place] = {}
    strangers: list[Place] = []
    before: dict[Key, bytes] = {}
    sources = [path, newer] if newer else [path]
    in_order = True
    last: Optional[Key] = None
    for which, source in enumerate(sources):
        for place, line in _lines(source, which):
            key = key_of(line)
            if key is None:
                if which == 0 and line.endswith(b"\n"):
                    strangers.append(place)
                    in_order = in_order and last is None
                else:
                    in_order = in_order and which != 0
                continue
            places[key] = place
            if which == 0:
                in_order = in_order and (last is None or last < key)
                last = key
                if newer:
                    before[key] = _digest(line)
    counts = _counted(places, before, sources) if newer else WriteCounts()
    if in_order and not counts.inserted and not counts.updated:
        return counts
    temporary = path.with_name(f".{path.name}.{os.getpid()}.sorted")
    _write_sorted(temporary, sources, strangers + [places[key] for key in sorted(places)])
    temporary.replace(path)
    _sync_folder(path.parent)
    return counts


def _counted(places: dict[Key, Place], before: dict[Key, bytes], sources: list[Path]) -> WriteCounts:
    """Compares the last line of each key in the second source with what stood in the first."""
    inserted = updated = unchanged = 0
    with sources[1].open("rb") as newer:
        for key, (which, offset, length) in places.items():
            if which == 0:
                continue
            newer.seek(offset)
            digest = before.get(key)
            if digest is None:
                inserted += 1
            elif digest == _digest(newer.read(length)):
                unchanged += 1
            else:
                updated += 1
    return WriteCounts(inserted, updated, unchanged)


def _write_sorted(target: Path, sources: list[Path], places: list[Place]) -> None:
    files: list[BinaryIO] = [source.open("rb") for source in sources]
    try:
        with target.open("wb") as out:
            for which, offset, length in places:
                files[which].seek(offset)
                line = files[which].read(length)
                out.write(line if line.endswith(b"\n") else line + b"\n")
            out.flush()
            os.fsync(out.fileno())
    finally:
        for file in files:
            file.close()


def _lines(source: Path, which: int) -> Iterator[tuple[Place, bytes]]:
    offset = 0
    with source.open("rb") as file:
        for line in file:
            yield (which, offset, len(line)), line
            offset += len(line)


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line.rstrip(b"\n"), digest_size=8).digest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
