"""Bytes of a page to text, as browsers do it: byte order mark, transport, the page's own claim, then a guess."""

import codecs
import re

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.text.legacy_charsets import codec_of, guess_codec

_PRESCAN_BYTES = 4096
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_LANG = re.compile(rb"""<html[^>]{0,300}?\blang\s*=\s*["']?([A-Za-z]{2,3}\b)""", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Magic numbers of what is served as a page by mistake: PDF, PNG, JPEG, GIF, ZIP, gzip, WebP/AVI, ELF, MP4.
_BINARY = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"\x7fELF", b"\0\0\0")
_SHIFT_TO_KANJI = b"\x1b$"
"""The escape sequence of ISO-2022-JP, whose bytes are all ASCII."""
_TOLERATED = 0.002
"""Share of undecodable bytes that is a damaged spot rather than another charset."""


def decode(body: bytes, claimed: str, markup: bool, where: str, language: str = "") -> tuple[str, tuple[str, ...]]:
    """The text of `body` and the warnings that decoding gave.

    The order is that of the WHATWG Encoding and HTML standards (BOM, transport, `meta` prescan), with their label
    table. A text that its claimed charset does not fit is tried as UTF-8, then by `legacy_charsets`, with a warning
    `charset_mismatch`; a few undecodable bytes become U+FFFD with a warning `charset_errors`.

    Args:
        language: of the text, where something beside it tells (BCP 47); a page's own `lang` goes first.

    Raises:
        Rejected: `binary` for a document that is not text, `bad_charset` if no charset fits.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _replace(body[len(mark) :], name)
    if body.startswith(_BINARY) or b"\0" in body[:1024]:
        raise Rejected("binary", f"{where}: not text but binary data (it begins {body[:8]!r}); a page was expected")
    head = body[:_PRESCAN_BYTES] if markup else b""
    if stated := _LANG.search(head):
        language = stated.group(1).decode("ascii")
    names = _claims(claimed, head)
    if _SHIFT_TO_KANJI in body and body.isascii() and not names:
        names = ["iso2022_jp"]
    if (not names or names[0] != "utf-8") and not body.isascii():
        # Text in another charset is not valid UTF-8 by chance; a legacy charset would take any bytes for letters.
        try:
            return body.decode("utf-8"), ("charset_mismatch",) if names else ()
        except UnicodeDecodeError:
            pass
    for name in names[:1] or ["utf-8"]:
        try:
            return body.decode(name), ()
        except UnicodeDecodeError:
            text, warnings = _replace(body, name)
            if text.count("�") <= max(2, _TOLERATED * len(text)) and not (name == "utf-8" and _is_legacy(text)):
                return text, warnings
    for name in names[1:]:
        try:
            return body.decode(name), ("charset_mismatch",)
        except UnicodeDecodeError:
            continue
    text, _ = _replace(body, guess_codec(body, language))
    if text.count("�") <= max(2, _TOLERATED * len(text)):
        return text, ("charset_mismatch",) if names else ("charset_guessed",)
    told = f"claims {names[0]}" if names else "names no charset and is not UTF-8"
    raise Rejected("bad_charset", f"{where}: the document {told}, and no charset tried fits its bytes")


def _claims(claimed: str, head: bytes) -> list[str]:
    """The Python codecs that the transport, `meta` and the XML declaration name, in this order."""
    labels = [claimed, *(found[1].decode("ascii") for found in (_META.search(head), _XML.match(head)) if found)]
    known = [codec for label in labels if label and (codec := codec_of(label))]
    # A page that declares UTF-16 in ASCII-compatible bytes is UTF-8 (HTML standard, prescan).
    return ["utf-8" if codec.startswith("utf-16") else codec for codec in known]


def _is_legacy(text: str) -> bool:
    """Whether a text read as UTF-8 has more broken bytes than letters beyond ASCII: then it never was UTF-8."""
    bad = text.count("�")
    return bad > sum(char > "\x7f" for char in text) - bad


def _replace(body: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    text = body.decode(name, errors="replace")
    return text, ("charset_errors",) if "�" in text else ()
