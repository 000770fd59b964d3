"""One unit of the plan, read back as a page."""

import json
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Page
from newsbeam.transforms.model.serialization import safe_text
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files.documents import MAX_DOCUMENT_BYTES, read_document
from newsbeam.transforms.sources.files.json_rows import check_url, page_of_row
from newsbeam.transforms.sources.files.sniff import HEAD_BYTES, sniff

FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/xml",
        "text/xml",
        "application/opml+xml",
        "text/x-opml",
    }
)
"""Media types that may hold a feed; which form it has, parsing tells."""

_MEDIA_TYPE = {Form.HTML: "text/html", Form.TEXT: "text/plain", Form.FEED: "application/xml"}


def read_page(source: Unit | Page) -> Page:
    """Reads the page of a unit; a page is one already.

    Raises:
        Rejected: what the scan found broken, an HTTP answer without a page (`http_404`), an address that is none
            (`bad_url`), what cannot be read any more,
            or not by the library of its format (`unreadable`).
    """
    if isinstance(source, Page):
        return source
    try:
        check_url(source.url, source.name)
        return _read(source)
    except Rejected:
        raise
    except Exception as error:  # a hostile archive may break its library anywhere; the unit is named
        raise Rejected("unreadable", f"{source.name}: {type(error).__name__}: {error}") from error


def _read(unit: Unit) -> Page:
    if unit.form is Form.BROKEN:
        raise Rejected(unit.reason, unit.message)
    try:
        if unit.form is Form.WARC:
            return _read_record(unit)
        if unit.form is Form.ROW:
            return _read_row(unit)
        return Page(
            url="",
            body=read_document(Path(unit.path), unit.name).body,
            content_type=_MEDIA_TYPE[unit.form],
            origin=unit.origin,
        )
    except OSError as error:
        raise Rejected("unreadable", f"{unit.name}: cannot be read any more ({error.strerror or error})") from error


def _read_record(unit: Unit) -> Page:
    with Path(unit.path).open("rb") as stream:
        stream.seek(unit.offset)
        record = next(iter(ArchiveIterator(stream, parse_http=True, auto_decode="all", fsspec_args=False)))
        if safe_text(record.headers.get("WARC-Target-URI") or "") != unit.url:
            raise Rejected("unreadable", f"{unit.name}: the archive was changed while it was replayed")
        if record.record_type == WarcRecordType.revisit:
            raise Rejected(
                "revisit", f"{unit.name}: a revisit record: its body stands in an earlier record of {unit.url}"
            )
        if record.http_headers is None:
            status, robots, claimed = 200, "", record.headers.get("Content-Type") or ""
        else:
            status = record.http_headers.status_code or 0
            robots = record.http_headers.get("X-Robots-Tag") or ""
            claimed = record.http_headers.get("Content-Type") or ""
        if status != 200:
            raise Rejected(
                f"http_{status}", f"{unit.name}: {unit.url} answered with HTTP status {status}, not with a page"
            )
        body = record.reader.read(MAX_DOCUMENT_BYTES + 1)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Rejected("too_large", f"{unit.name}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB when decoded")
    media_type, charset = content_type(claimed)
    if _is_feed(body):
        media_type = "application/xml"
    return Page(
        url=unit.url,
        body=body,
        content_type=media_type or "text/html",
        charset=charset,
        robots=robots,
        fetched_at=unit.seen_at or None,
        origin=unit.origin,
    )


def _is_feed(body: bytes) -> bool:
    """Whether a feed was served, under whatever media type."""
    try:
        return sniff(body[:HEAD_BYTES], "") is Form.FEED
    except Rejected:
        return False


def content_type(header: str) -> tuple[str, str]:
    """Media type and charset of a Content-Type header (RFC 9110, 8.3), both lower case, empty where absent."""
    media_type, *parameters = header.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return media_type.strip().lower(), value.strip().strip("\"'").lower()
    return media_type.strip().lower(), ""


def _read_row(unit: Unit) -> Page:
    with Path(unit.path).open("rb") as stream:
        stream.seek(unit.offset)
        line = stream.read(unit.length)
    row: dict[str, Any] = json.loads(line)
    return page_of_row(row, line, unit.origin, unit.seen_at or None)
