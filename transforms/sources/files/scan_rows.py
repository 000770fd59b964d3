"""The units of a file of JSON rows, plain or gzipped."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files import documents
from newsbeam.transforms.sources.files.documents import Damage, Unpacked, digest, unpack
from newsbeam.transforms.sources.files.gzip_members import is_gzip
from newsbeam.transforms.sources.files.json_rows import has_page, parse_row, row_order, row_text, row_time


def scan_rows(whole: Unit, spool: Path) -> Iterator[Unit]:
    """A unit for each line of the file that `whole` names; empty lines are none."""
    original = Path(whole.path)
    file = unpack(original, spool, between=b"\n") if is_gzip(original) else Unpacked(original, ())
    with file.path.open("rb") as stream:
        yield from _scan_lines(stream, replace(whole, path=str(file.path)), file.damages)


def _scan_lines(stream: IO[bytes], whole: Unit, damages: Sequence[Damage]) -> Iterator[Unit]:
    """In the copy a damaged place is an end of line: the line before it may be cut, the one behind it is whole."""
    most = documents.MAX_DOCUMENT_BYTES
    waiting = list(reversed(damages))
    offset = number = 0
    while line := stream.readline(most + 1):
        number += 1
        unit = replace(whole, form=Form.ROW, name=f"{whole.name}#{number}", offset=offset, length=len(line))
        offset += len(line) + _skip_line(stream, line, most)
        if waiting and waiting[-1].at < offset:
            damage = waiting.pop()
            yield replace(unit, digest=digest(line)).broken(damage.reason, f"{unit.name}: {damage.message}")
        elif len(line) > most:
            yield replace(unit, digest=digest(line)).broken(
                "too_large", f"{unit.name}: a line over {most >> 20} MiB, which no article is"
            )
        elif line.strip():
            yield _scan_row(replace(unit, digest=digest(line)), line)


def _skip_line(stream: IO[bytes], line: bytes, most: int) -> int:
    """Skips the rest of a line longer than `most`; returns how many bytes that was."""
    skipped = 0
    while len(line) + skipped > most and not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
        skipped += len(line)
    return skipped


def _scan_row(unit: Unit, line: bytes) -> Unit:
    try:
        row = parse_row(line, unit.name)
        seen_at = row_time(row, unit.name)
    except Rejected as rejected:
        return unit.broken(rejected.reason, rejected.message)
    if not has_page(row):
        return unit.broken("unknown_form", f'{unit.name}: a row needs "html" or "text", as a string')
    return replace(unit, seen_at=seen_at, digest=row_order(row, unit.digest), url=row_text(row, "url"))
