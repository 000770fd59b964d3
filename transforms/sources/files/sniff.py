"""What a file is, told from its first bytes, never from its name alone."""

import json
import re

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.units import Form

HEAD_BYTES = 64 * 1024

_BINARY = {
    b"%PDF-": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
    b"PAR1": "a Parquet file",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_FEED_BYTES = 4096
"""A feed says so at its beginning."""
_FEED = re.compile(rb"<(?:[a-z]{1,12}:)?(?:rss|feed|rdf|urlset|sitemapindex|opml)[\s>]", re.IGNORECASE)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|meta|article|main|section|div|p|h1|h2|table|span|br)[\s>/]",
    re.IGNORECASE,
)
_ROW_KEYS = {"url", "html", "text"}


def sniff(head: bytes, name: str) -> Form:
    """Tells what a file is from its first `HEAD_BYTES` (already decompressed).

    Raises:
        Rejected: `empty`, `binary` or `unknown_form`; the message says what would be right.
    """
    start = head.lstrip(_BYTE_ORDER_MARK).lstrip()
    if not start:
        raise Rejected("empty", f"{name}: the file is empty")
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise Rejected("binary", f"{name}: this is {what}; newsbeam reads text, HTML, feeds, WARC and JSONL")
    if start.startswith(b"WARC/"):
        return Form.WARC
    if not head.startswith(_UTF16) and _control_share(head) > 0.02:
        raise Rejected("binary", f"{name}: the file is binary; newsbeam reads text, HTML, feeds, WARC and JSONL")
    if start[:1] in b"{[":
        return _sniff_json(start, name)
    if head.startswith(_UTF16):
        start = head.decode("utf-16", "replace").encode()
    return _sniff_markup(start)


def looks_like_feed(body: bytes) -> bool:
    """Whether `sniff` may find a feed; never False where it does, and cheap, since most that is asked of is none."""
    start = body[:HEAD_BYTES].lstrip(_BYTE_ORDER_MARK).lstrip()[:_FEED_BYTES]
    return body.startswith(_UTF16) or start.startswith((b"{", b"[")) or _FEED.search(start) is not None


def _control_share(head: bytes) -> float:
    control = head.translate(None, bytes(range(32, 256)) + b"\t\n\r\f\x1b")
    return len(control) / len(head)


def _sniff_markup(start: bytes) -> Form:
    feed, html = _FEED.search(start[:_FEED_BYTES]), _HTML.search(start)
    if feed and (html is None or feed.start() < html.start()):
        return Form.FEED
    return Form.HTML if html else Form.TEXT


def _sniff_json(start: bytes, name: str) -> Form:
    if b"jsonfeed.org/version" in start[:_FEED_BYTES].replace(b"\\/", b"/"):
        return Form.FEED
    line, newline, _ = start.partition(b"\n")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        whole_line = bool(newline) or len(start) < HEAD_BYTES - 3
        looks_like_a_row = any(f'"{key}"'.encode() in line for key in _ROW_KEYS)
        if looks_like_a_row and (not whole_line or b'":' in line):
            return Form.ROW  # too long to be seen whole, or a damaged line: the row itself will say so
        row = None
    if isinstance(row, dict) and _ROW_KEYS & row.keys():
        return Form.ROW
    raise Rejected(
        "unknown_form",
        f"{name}: JSON, but neither a JSON Feed nor lines that each hold a page or an article; newsbeam reads"
        ' one object a line, with "url" and "html" or "text"',
    )
