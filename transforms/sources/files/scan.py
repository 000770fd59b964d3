"""The units of a file, found without keeping more than one of them in memory."""

import gzip
import hashlib
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from fastwarc.warc import ArchiveIterator, WarcRecordType

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files.json_rows import has_page, parse_row, row_order, row_text, row_time
from newsbeam.transforms.sources.files.sniff import HEAD_BYTES, looks_like_feed, sniff
from newsbeam.transforms.text.times import utc_text

MAX_DOCUMENT_BYTES = 15 * 1024 * 1024
"""A page or a row larger than this is no article; the limit that fetching has too."""
MAX_EXPANSION = 200
"""Text shrinks 3 to 30 times in gzip; what grows more than this beyond `FREE_EXPANSION_BYTES` is a bomb."""
FREE_EXPANSION_BYTES = 256 * 1024 * 1024

_GZIP = b"\x1f\x8b"
_MAYBE_A_FEED = re.compile(
    rb"^(?:content|transfer)-encoding:"
    rb"|^content-type:[ \t]*[a-z]{1,20}/(?!xhtml)(?:[a-z-]{1,20}\+)?(?:xml|json|x-opml)",
    re.IGNORECASE | re.MULTILINE,
)
"""What the head of an HTTP answer has if a feed comes behind it, or something packed that hides what it is."""
_INPUT_RECORDS = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion | WarcRecordType.revisit


def scan(path: Path, name: str, spool: Path) -> Iterator[Unit]:
    """Lists the units of the file at `path`, in the order of the file.

    A file of many records (WARC, JSONL) has a unit for each; what is wrong with a file or with one of its records is
    a unit of form `BROKEN`, and the rest goes on.

    Args:
        name: the file for people: its path below what the user named.
        spool: a folder for decompressed copies of files that cannot be read from the middle.
    """
    whole = Unit(path=str(path.absolute()), source=str(path), name=name, form=Form.BROKEN)
    try:
        form = sniff(_head(path), name)
        if form is Form.WARC:
            yield from _scan_warc(whole, spool)
        elif form is Form.ROW:
            yield from _scan_rows(whole, spool)
        else:
            body = read_document(path, name)
            yield _replace(whole, form=form, digest=digest(body), length=len(body), may_be_feed=form is Form.FEED)
    except Rejected as rejected:
        yield _broken(whole, rejected.reason, rejected.message)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield _broken(whole, "truncated", f"{name}: the gzip file is cut short or damaged ({error})")
    except OSError as error:
        yield _broken(whole, "unreadable", f"{name}: cannot be read ({error.strerror or error})")


def _replace(unit: Unit, **changes: Any) -> Unit:
    return Unit(**{**unit.__dict__, **changes})


def _broken(unit: Unit, reason: str, message: str) -> Unit:
    return _replace(unit, form=Form.BROKEN, reason=reason, message=message, digest=unit.digest or unit.name)


def open_document(path: Path) -> IO[bytes]:
    """Opens a file for reading, decompressed if it is gzip."""
    stream = path.open("rb")
    magic = stream.read(2)
    stream.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream)) if magic == _GZIP else stream


def _head(path: Path) -> bytes:
    with open_document(path) as stream:
        try:
            return stream.read(HEAD_BYTES)
        except EOFError:
            raise Rejected("truncated", f"{path.name}: the gzip file is cut short") from None


def read_document(path: Path, name: str) -> bytes:
    """Reads a whole page; raises `Rejected` (`too_large`) beyond `MAX_DOCUMENT_BYTES`."""
    with open_document(path) as stream:
        body = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Rejected("too_large", f"{name}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB, which no article is")
    return body


def digest(body: bytes) -> str:
    """What a payload holds, in 16 hexadecimal digits, by a hash that is cheap: all that is read goes through it."""
    return hashlib.sha256(body).hexdigest()[:16]


def _spooled(path: Path, spool: Path) -> Path:
    """A decompressed copy of `path` in `spool`; `Rejected` (`bomb`) if it grows as no honest file does."""
    copy = spool / f"{digest(str(path.resolve()).encode())}.spool"
    limit = max(FREE_EXPANSION_BYTES, path.stat().st_size * MAX_EXPANSION)
    with open_document(path) as packed, copy.open("wb") as plain:
        while chunk := packed.read(1 << 20):
            plain.write(chunk)
            if plain.tell() > limit:
                raise Rejected("bomb", f"{path.name}: grows more than {MAX_EXPANSION} times when it is decompressed")
    return copy


def spool_stream(stream: IO[bytes], spool: Path) -> Path:
    """Standard input as a file, so that it can be scanned and then read."""
    copy = spool / "stdin"
    with copy.open("wb") as plain:
        shutil.copyfileobj(stream, plain)
    return copy


def _scan_rows(whole: Unit, spool: Path) -> Iterator[Unit]:
    path = Path(whole.path)
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if packed:
        path = _spooled(path, spool)
    offset = 0
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(MAX_DOCUMENT_BYTES + 1):
            start, offset, number = offset, offset + len(line), number + 1
            unit = _replace(whole, path=str(path), form=Form.ROW, name=f"{whole.name}#{number}")
            unit = _replace(unit, offset=start, length=len(line), digest=digest(line))
            if len(line) > MAX_DOCUMENT_BYTES:
                while not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
                    offset += len(line)
                yield _broken(unit, "too_large", f"{unit.name}: a line over {MAX_DOCUMENT_BYTES >> 20} MiB")
            elif line.strip():
                yield _scan_row(unit, line)


def _scan_row(unit: Unit, line: bytes) -> Unit:
    try:
        row = parse_row(line, unit.name)
    except Rejected as rejected:
        return _broken(unit, rejected.reason, rejected.message)
    if not has_page(row):
        return _broken(unit, "unknown_form", f'{unit.name}: a row needs "html" or "text", as a string')
    return _replace(unit, seen_at=row_time(row), digest=row_order(row, unit.digest), url=row_text(row, "url"))


def _scan_warc(whole: Unit, spool: Path) -> Iterator[Unit]:
    path = Path(whole.path)
    with path.open("rb") as stream:
        packed = stream.read(2) == _GZIP
    if packed and not _has_a_member_per_record(path):
        path = _spooled(path, spool)
    number = 0
    try:
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, record_types=_INPUT_RECORDS, parse_http=False, fsspec_args=False):
                number += 1
                unit = _replace(whole, path=str(path), form=Form.WARC, name=f"{whole.name}#{number}")
                unit = _replace(unit, offset=record.stream_pos)
                yield _scan_record(unit, record)
    except (OSError, ValueError) as error:
        broken = _replace(whole, name=f"{whole.name}#{number + 1}")
        yield _broken(broken, "truncated", f"{broken.name}: the archive is damaged from here on ({error})")
        return
    if number == 0:
        yield _broken(whole, "empty", f"{whole.name}: a WARC file without any response in it")


def _has_a_member_per_record(path: Path) -> bool:
    """Whether each record begins a gzip member of its own (WARC 1.1, annex D), so that it can be read by offset."""
    places = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, parse_http=False, fsspec_args=False):
            places.append(record.stream_pos)
            if len(places) == 3:
                break
    return len(set(places)) == len(places)


def _scan_record(unit: Unit, record: Any) -> Unit:
    seen_at = utc_text(record.record_date) if record.record_date else ""
    unit = _replace(unit, seen_at=seen_at, url=record.headers.get("WARC-Target-URI") or "")
    if "Content-Length" not in record.headers:
        return _broken(unit, "truncated", f"{unit.name}: cut short inside the header of the record")
    if record.content_length > MAX_DOCUMENT_BYTES:
        return _broken(unit, "too_large", f"{unit.name}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB")
    body = record.reader.read()
    unit = _replace(unit, digest=digest(body), length=len(body), may_be_feed=_may_be_feed(record, body))
    if len(body) < record.content_length:
        return _broken(
            unit, "truncated", f"{unit.name}: cut short, {len(body)} of {record.content_length} bytes are there"
        )
    return unit


def _may_be_feed(record: Any, content: bytes) -> bool:
    """False only of what is a page for sure; whatever may be a feed is looked into when it is read."""
    claimed = record.headers.get("Content-Type") or ""
    head, body = f"Content-Type: {claimed}".encode("utf-8", "replace"), content
    if claimed.startswith("application/http"):
        head, end, body = content[:HEAD_BYTES].partition(b"\r\n\r\n")
        if not end:
            return True
    return _MAYBE_A_FEED.search(head) is not None or looks_like_feed(body)
