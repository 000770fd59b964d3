"""From bytes to text and to a tree, for XML that is often not quite XML."""

import codecs
import re
from html import escape
from html.entities import html5

from lxml import etree

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.text.legacy_charsets import codec_of, guess_codec

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEGINNING = re.compile(r"<[!?/a-zA-Z]|^\s*[{\[]")
_WIDE = re.compile(rb"[^\x00]\x00[^\x00]\x00|\x00[^\x00]\x00[^\x00]")
_DECLARED = re.compile(rb"""^\s*<\?xml[^<>]{0,200}?encoding\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""")
_META = re.compile(rb"""<meta[^<>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_LANGUAGE = re.compile(rb"""(?:<language>\s*|xml:lang\s*=\s*["'])([A-Za-z]{2,3})\b""", re.IGNORECASE)
_DECLARATION = re.compile(r"<\?xml[^<>]{0,300}?\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_BARE_AMPERSAND = re.compile(r"&(?!(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_NUMERIC = re.compile(r"&#(?:([0-9]{1,9})|[xX]([0-9a-fA-F]{1,8})|[0-9xX][0-9a-fA-F]*);?")
_NAMED = re.compile(r"&([a-zA-Z][a-zA-Z0-9]{1,31});")
_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}


def decode(body: bytes, charset: str) -> str:
    """Text of `body`: by its byte order mark, by being valid UTF-8, by the transport, by its own declaration.

    Valid UTF-8 with anything beyond ASCII in it goes before a claim to the contrary: it does not happen by chance.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            text = body[len(mark) :].decode(encoding, "replace")
            if mark == codecs.BOM_UTF8 or _BEGINNING.search(text[:1024]):  # else it only looks like a mark
                return text
    if body.startswith((b"\x00\x00\x00<", b"<\x00\x00\x00")):
        return body.decode("utf-32-be" if body[:1] == b"\x00" else "utf-32-le", "replace")
    if _WIDE.match(body):
        return body.decode("utf-16-be" if body[:1] == b"\x00" else "utf-16-le", "replace")
    declared = _DECLARED.search(body[:1024]) or _META.search(body[:4096])
    claims = [claim for claim in (charset, declared[1].decode("ascii") if declared else "") if claim]
    claims = [claim for claim in claims if not claim.lower().startswith(("utf-16", "utf-32"))]  # it would show
    if not (b"\x1b" in body and any(claim.lower().startswith("iso-2022") for claim in claims)):
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" or _mostly_utf8(body):
                return body.decode("utf-8", "replace")
    for claim in claims:
        encoding = _codec(claim)
        try:
            if not encoding.lower().replace("_", "-").startswith(("utf-8", "utf8")):
                return body.decode(encoding)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    for claim in claims:  # a few broken bytes are better than the wrong letters throughout
        encoding = _codec(claim)
        try:
            if codecs.lookup(encoding).name not in ("utf-8", "cp1252"):
                return body.decode(encoding, "replace")
        except (LookupError, ValueError):
            continue
    language = _LANGUAGE.search(body[:4096])
    return body.decode(guess_codec(body, language[1].decode("ascii") if language else ""), "replace")


def _codec(label: str) -> str:
    """The codec that a label means on the web, else Python's of that name."""
    return codec_of(label) or label.lower().removeprefix("x-")


def _mostly_utf8(body: bytes) -> bool:
    """Whether there are more sequences of UTF-8 than bytes that are none."""
    text = body.decode("utf-8", "surrogateescape")
    broken = sum(1 for character in text if "\udc80" <= character <= "\udcff")
    whole = sum(1 for character in text if character > "\x7f") - broken
    return whole > broken


def declared_as_utf8(text: str) -> bytes:
    """XML text as UTF-8, without the characters that XML forbids, its declaration (if any) saying so."""
    text = without_impossible_characters(text)
    declaration = _DECLARATION.match(text)
    if declaration:
        text = text[declaration.end() :]
    return b'<?xml version="1.0" encoding="utf-8"?>' + text.lstrip().encode()


def without_impossible_characters(text: str) -> str:
    """`text` without what XML forbids and no encoding carries: control characters, lone surrogates."""
    return _ILLEGAL.sub("", text)


def without_impossible_references(text: str) -> str:
    """`text` without references to characters that do not exist (`&#xD800;`, `&#99999999;`, `&#0;`)."""
    if "&#" not in text:
        return text
    # What stood around one may join to another one (`&#xD8&#xD800;00;`): whatever takes its place must keep that apart.
    return _NUMERIC.sub(lambda match: _reference(match) or "\ufffd", _NUMERIC.sub(_reference, text))


def _reference(match: re.Match[str]) -> str:
    number = int(match[1]) if match[1] else int(match[2], 16) if match[2] else -1
    possible = (
        number in (9, 10, 13) or 32 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
    )
    return match[0] if possible else ""


def lenient_tree(text: str) -> etree._Element:
    """The root of `text`, repaired where it is ill-formed (bare ampersands, HTML entities, open tags).

    Entities of the document's own are not expanded, and nothing is loaded. Raises `Rejected("malformed")` if there is
    no root to be had.
    """
    root = well_formed_tree(text)
    if root is not None:
        return root
    possible = without_impossible_references(text)
    repaired = _BARE_AMPERSAND.sub("&amp;", _NAMED.sub(_character, possible))
    try:
        root = _tree(declared_as_utf8(repaired), recover=True)
    except etree.XMLSyntaxError as error:
        raise Rejected("malformed", f"is not XML, nor near enough to be read: {error}") from error
    if root is None:
        raise Rejected("malformed", "is not XML, nor near enough to be read: it has no root element")
    return root


def well_formed_tree(text: str) -> etree._Element | None:
    """The root of `text`; None if it is ill-formed. Entities of its own are not expanded, and nothing is loaded."""
    try:
        return _tree(declared_as_utf8(text), recover=False)
    except etree.XMLSyntaxError:
        return None


def _tree(document: bytes, recover: bool) -> etree._Element:
    parser = etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    return etree.fromstring(document, parser)


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name in _XML_ENTITIES:
        return match[0]
    character = html5.get(name + ";")
    return match[0].replace("&", "&amp;") if character is None else escape(character)


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace, lower case."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
