"""The units of a WARC file (ISO 28500), plain or gzipped, each with the byte at which its record is read again.

In a gzipped archive each record should be a member of its own (WARC 1.1, annex D); a member that holds exactly one
record is read where it stands. From the first member on that holds several, or a part of one, the archive is unpacked,
and its records are read from the copy.

A record ends where its Content-Length says, and there the next one must begin. If it does not, the length is wrong, and
so is what would be read as the record: it is broken, and reading goes on at the next line that begins a record.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from newsbeam.transforms.model.serialization import safe_text
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files import documents
from newsbeam.transforms.sources.files.documents import Damage, digest, unpack
from newsbeam.transforms.sources.files.gzip_members import MOST_DAMAGES, Piece, is_gzip, pieces
from newsbeam.transforms.sources.files.sniff import HEAD_BYTES, looks_like_feed
from newsbeam.transforms.text.times import FIRST_YEAR, LAST_YEAR, is_plausible, utc_text

_BEGINS = b"WARC/"
_HEAD_BYTES = 64 * 1024
"""No header of a record is longer."""
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_RECORD_LINE = re.compile(rb"\n(?=WARC/[0-9]\.[0-9]{1,2}\r\n)")
_SEARCH_BYTES = 1 << 20
_SEPARATOR_BYTES = 64
"""Two line ends are due between two records; a few more are let pass."""
_INPUT_TYPES = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion | WarcRecordType.revisit
_MAYBE_A_FEED = re.compile(
    rb"^(?:content|transfer)-encoding:"
    rb"|^content-type:[ \t]*[a-z]{1,20}/(?!xhtml)(?:[a-z-]{1,20}\+)?(?:xml|json|x-opml)",
    re.IGNORECASE | re.MULTILINE,
)
"""What the head of an HTTP answer has if a feed comes behind it, or something packed that hides what it is."""


@dataclass(frozen=True)
class _Frame:
    """Where a record lies in a decompressed file.

    Attributes:
        body: the byte at which its content begins.
        length: bytes of content, as its header says.
        damage: what is wrong with it, for a person, with the reason of its dead letter; empty if nothing is.
    """

    start: int
    body: int
    length: int
    damage: str = ""
    reason: str = "damaged"

    @property
    def end(self) -> int:
        """The byte behind its content."""
        return self.body + self.length

    @property
    def is_too_large(self) -> bool:
        """Whether it is larger than any page."""
        return self.length > documents.MAX_DOCUMENT_BYTES


def scan_warc(whole: Unit, spool: Path) -> Iterator[Unit]:
    """A unit for each record of the archive that `whole` names that may hold a page, and for each damage."""
    number = 0
    for unit in _units(whole, spool):
        number += 1
        name = f"{whole.name}#{number}"
        yield replace(unit, name=name, message=f"{name}: {unit.message}" if unit.message else "")
    if number == 0:
        yield whole.broken("empty", f"{whole.name}: a WARC file without any response in it")


def _units(whole: Unit, spool: Path) -> Iterator[Unit]:
    """The units, still without their numbers."""
    path = Path(whole.path)
    if is_gzip(path):
        yield from _scan_members(whole, spool)
    else:
        yield from _scan_plain(whole, ())


def _scan_members(whole: Unit, spool: Path) -> Iterator[Unit]:
    path = Path(whole.path)
    with path.open("rb") as stream:
        for member in _members(pieces(stream, begins=_BEGINS)):
            unit = replace(whole, form=Form.WARC, offset=member.offset)
            if not member.data:
                if member.damage:
                    yield unit.broken(member.reason, member.damage)
            elif not member.is_one_record:
                copy = unpack(path, spool, member.offset, _BEGINS)
                yield from _scan_plain(replace(whole, path=str(copy.path)), copy.damages)
                return
            elif member.damage:
                yield _described(unit, member.data[: member.frame.body]).broken(member.reason, member.damage)
            else:
                yield from _scan_record(unit, member.data, member.frame.is_too_large)


@dataclass(frozen=True)
class _Member:
    """A member of the archive; of one that is larger than any page only the beginning is kept.

    Attributes:
        frame: of the record at its beginning.
    """

    offset: int
    data: bytes
    length: int
    damage: str
    reason: str
    frame: _Frame

    @property
    def is_one_record(self) -> bool:
        """Whether it holds exactly one record: a whole one, or as much of it as a damaged member gives."""
        if self.frame.damage:
            return self.damage != "" and self.frame.end == self.length
        return not self.data[self.frame.end :].strip() and self.length - self.frame.end <= _SEPARATOR_BYTES


def _members(parts: Iterator[Piece]) -> Iterator[_Member]:
    most = documents.MAX_DOCUMENT_BYTES + _HEAD_BYTES + _SEPARATOR_BYTES
    data, length = bytearray(), 0
    for piece in parts:
        data += piece.data[: most - len(data)]
        length += len(piece.data)
        if piece.ends or piece.damage:
            held = bytes(data)
            frame = _frame(io.BytesIO(held), 0, length)
            yield _Member(piece.member, held, length, piece.damage, piece.reason, frame)
            data, length = bytearray(), 0


def _scan_plain(whole: Unit, damages: Sequence[Damage]) -> Iterator[Unit]:
    """Where a gzip member was damaged, the record that ends there is broken: it may be cut, or not as it was."""
    path = Path(whole.path)
    size = path.stat().st_size
    waiting = list(reversed(damages))
    broken = 0
    with path.open("rb") as stream:
        frame = _frame(stream, 0, size) if size else None
        while frame is not None:
            following = _next_frame(stream, frame, size)
            limit = following.start if following else size
            unit = replace(whole, form=Form.WARC, offset=frame.start)
            while waiting and waiting[-1].at <= limit:
                damage = waiting.pop()
                if damage.reason == "not_gzip":
                    yield unit.broken(damage.reason, damage.message)
                else:
                    frame = replace(frame, damage=damage.message, reason=damage.reason)
            yield from _scan_frame(unit, frame, stream)
            broken += bool(frame.damage)
            if broken >= MOST_DAMAGES and following is not None:
                yield unit.broken("damaged", f"{broken} damages; what follows byte {limit} is left out")
                return
            frame = following


def _scan_frame(unit: Unit, frame: _Frame, stream: IO[bytes]) -> Iterator[Unit]:
    stream.seek(frame.start)
    head = stream.read(frame.body - frame.start)
    if frame.damage:
        yield _described(unit, head).broken(frame.reason, frame.damage)
    else:
        content = b"" if frame.is_too_large else stream.read(frame.length)
        yield from _scan_record(unit, head + content, frame.is_too_large)


def _frame(stream: IO[bytes], start: int, size: int) -> _Frame:
    """The record that begins at byte `start` of a file of `size` bytes."""
    stream.seek(start)
    head = stream.read(_HEAD_BYTES)
    end = head.find(b"\r\n\r\n")
    if not head.startswith(_BEGINS):
        return _Frame(start, start, 0, f"byte {start} should begin a record with WARC/, and does not")
    if end < 0:
        is_cut = start + len(head) >= size
        reason, why = ("truncated", "is cut short") if is_cut else ("damaged", "has no end")
        return _Frame(start, start, 0, f"the header of the record at byte {start} {why}", reason)
    body = start + end + 4
    length = _LENGTH.search(head, 0, end + 2)
    if length is None:
        return _Frame(start, body, 0, f"the record at byte {start} has no Content-Length that is a number")
    frame = _Frame(start, body, int(length[1]))
    if frame.end > size:
        told = f"cut short, {size - body} of {frame.length} bytes are there"
        return replace(frame, length=size - body, damage=told, reason="truncated")
    stream.seek(frame.end)
    behind = stream.read(_SEPARATOR_BYTES)
    rest = behind.lstrip(b"\r\n")
    is_end = behind.startswith(b"\r\n\r\n") or rest.startswith(_BEGINS) or not (rest or behind[_SEPARATOR_BYTES - 1 :])
    if not is_end:
        told = f"its Content-Length, {frame.length}, does not lead from byte {body} to the next record"
        return replace(frame, damage=told)
    return frame


def _next_frame(stream: IO[bytes], frame: _Frame, size: int) -> _Frame | None:
    """The record behind `frame`; behind a broken one, whose length says nothing, the next line that begins one."""
    if not frame.damage:
        stream.seek(frame.end)
        behind = stream.read(_SEPARATOR_BYTES)
        start = frame.end + len(behind) - len(behind.lstrip(b"\r\n"))
        return _frame(stream, start, size) if start < size else None
    base, window = frame.start, b""
    stream.seek(base)
    while chunk := stream.read(_SEARCH_BYTES):
        window += chunk
        if begins := _RECORD_LINE.search(window):
            return _frame(stream, base + begins.end(), size)
        base, window = base + max(len(window) - 16, 0), window[-16:]
    return None


def _described(unit: Unit, head: bytes) -> Unit:
    """The unit of a broken record, with the address and the time that its header gives, as far as it can be read."""
    try:
        record = _parsed(head)
    except (OSError, ValueError):
        record = None
    unit = replace(unit, digest=digest(head) if head else "")
    return _of_header(unit, record) if record is not None else unit


def _scan_record(unit: Unit, raw: bytes, is_too_large: bool) -> Iterator[Unit]:
    """The unit of a whole record of `raw` bytes; none if its type is not one that holds pages."""
    record = _parsed(raw)
    if record is None or not record.record_type & _INPUT_TYPES:
        return
    unit = _of_header(unit, record)
    if not unit.seen_at and (told := record.headers.get("WARC-Date")):
        right = f"an ISO 8601 time of the years {FIRST_YEAR} to {LAST_YEAR}"
        yield replace(unit, digest=digest(raw)).broken(
            "bad_time", f"its WARC-Date is {told[:60]!r}; right would be {right}"
        )
        return
    if is_too_large:
        most = documents.MAX_DOCUMENT_BYTES >> 20
        yield replace(unit, digest=digest(raw)).broken("too_large", f"larger than {most} MiB, which no article is")
        return
    body = record.reader.read()
    yield replace(unit, digest=digest(body), length=len(body), may_be_feed=_may_be_feed(record, body))


def _parsed(raw: bytes) -> Any:
    return next(iter(ArchiveIterator(io.BytesIO(raw), parse_http=False, fsspec_args=False)), None)


def _of_header(unit: Unit, record: Any) -> Unit:
    moment = record.record_date
    seen_at = utc_text(moment) if moment and is_plausible(moment) else ""
    return replace(unit, seen_at=seen_at, url=safe_text(record.headers.get("WARC-Target-URI") or ""))


def _may_be_feed(record: Any, content: bytes) -> bool:
    """False only of what is a page for sure; whatever may be a feed is looked into when it is read."""
    claimed = record.headers.get("Content-Type") or ""
    head, body = f"Content-Type: {claimed}".encode("utf-8", "replace"), content
    if claimed.startswith("application/http"):
        head, end, body = content[:HEAD_BYTES].partition(b"\r\n\r\n")
        if not end:
            return True
    return _MAYBE_A_FEED.search(head) is not None or looks_like_feed(body)
