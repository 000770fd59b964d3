"""Which address an entry has: the article's own, not that of the service that points to it."""

import base64
import binascii
import re
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit, urlunsplit

from newsbeam.transforms.model.errors import Rejected

LONGEST_URL = 8192
"""Longer addresses are refused by most servers (RFC 9110, section 4.1, asks for 8000 octets to be supported)."""

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_BARE_HOST = re.compile(r"www\.[\w-]{1,63}\.[\w.-]{2,190}(?:[:/?#]|$)")
_CONTROL = re.compile("[\x00-\x20\x7f]+")
_SAFE = "%/:=&?~#+!$,;'@()*[]|-._"
_REDIRECTS = (
    ("bing.com/news/apiclick.aspx", "url"),
    ("l.facebook.com/l.php", "u"),
    ("out.reddit.com/", "url"),
    ("safelinks.protection.outlook.com/", "url"),
    ("t.umblr.com/redirect", "z"),
)
_PUBLISHER_URL = re.compile(rb"https?://[\x21-\x7e]{4,2000}")


def article_url(link: str, base: str) -> str:
    """The absolute http(s) address that `link` stands for; empty where it names nothing but the document itself.

    White space is removed or escaped as browsers do it, user names and passwords are dropped, and addresses of AMP
    caches, Google's redirects and older Google News entries are replaced by the publisher's, which they contain.

    Raises `Rejected("bad_link")` for what no page can be fetched from.
    """
    link = link.strip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r \x1f\ufeff\u200b\xa0")
    link = link.replace("\n", "").replace("\r", "").replace("\t", "")
    if not link or link.startswith("#"):
        return ""
    if len(link) > LONGEST_URL:
        raise Rejected("bad_link", f"the link is {len(link)} characters long, {LONGEST_URL} are allowed: {link[:100]}…")
    scheme = _SCHEME.match(link)
    if scheme and scheme[1].lower() not in ("http", "https", "feed"):
        raise Rejected("bad_link", f"the link should be http or https: {link[:200]}")
    if scheme and scheme[1].lower() == "feed":
        link = link[5:] if link[5:].startswith("http") else "https:" + link[5:]
    if _BARE_HOST.match(link):
        link = "https://" + link
    try:
        if scheme and not urlsplit(link).netloc:
            raise ValueError("it has no host")  # which urljoin would take from the base
        url = _checked(urljoin(base, link))
        unwrapped = unwrap(url)
        return _checked(unwrapped) if unwrapped != url else url
    except ValueError as error:
        raise Rejected("bad_link", f"the link is no address ({error}): {link[:200]}") from error


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("it is relative, and the feed's own address is not known")
    host = parts.hostname
    if not host or _CONTROL.search(unquote(host)):
        raise ValueError("it has no host")
    port = f":{parts.port}" if parts.port is not None else ""  # raises ValueError for a port that is none
    where = f"[{host}]" if ":" in host else host
    rest = (quote(_CONTROL.sub(" ", part), safe=_SAFE) for part in (parts.path, parts.query, parts.fragment))
    return urlunsplit((parts.scheme, where + port, *rest))


def unwrap(url: str) -> str:
    """The publisher's address where `url` is a service's that carries it in plain sight; else `url` itself.

    Nothing is asked of the service. (An AMP path on the publisher's own host is left alone: only the page knows its
    canonical address. Google News entries since 2024 are opaque.)
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith((".cdn.ampproject.org", ".bing-amp.com")):
        return _amp(parts.path, ("/c/", "/v/", "/i/", "/r/")) or url
    if host == "news.google.com" or host.endswith(".news.google.com"):
        return _google_news(parts.path) or url
    if host == "google.com" or (host.startswith("www.google.") and host.count(".") <= 3):
        if parts.path.startswith("/amp/"):
            return _amp(parts.path, ("/amp/",)) or url
        if parts.path == "/url":
            return _in_query(parts.query, "q", "url") or url
    for place, parameter in _REDIRECTS:
        if f".{host}{parts.path}".endswith("." + place):
            return _in_query(parts.query, parameter) or url
    return url


def _in_query(query: str, *names: str) -> str:
    fields = parse_qs(query, max_num_fields=100)
    target = next((fields[name][0] for name in names if name in fields), "")
    return target if target.startswith(("http://", "https://")) else ""


def _amp(path: str, prefixes: tuple[str, ...]) -> str:
    prefix = next((prefix for prefix in prefixes if path.startswith(prefix)), None)
    if prefix is None:
        return ""
    rest, scheme = path[len(prefix) :], "http"
    if rest.startswith("s/"):
        rest, scheme = rest[2:], "https"
    return f"{scheme}://{rest}" if "." in rest.partition("/")[0] else ""


def _google_news(path: str) -> str:
    """Until 2024 the id in the path was a protocol buffer, in base64, with the publisher's address in field 4."""
    identifier = path.rpartition("/articles/")[2]
    if identifier == path or len(identifier) > 4000:
        return ""
    try:
        message = base64.urlsafe_b64decode(identifier + "=" * (-len(identifier) % 4))
    except (binascii.Error, ValueError):
        return ""
    # A number (field 1), the tag of field 4, a length (one byte, or two from 128 on), then so many characters.
    if message[:1] != b"\x08" or message[2:3] != b"\x22" or len(message) < 6:
        return ""
    length, start = message[3], 4
    if length >= 0x80:
        length, start = (length & 0x7F) | message[4] << 7, 5
    match = _PUBLISHER_URL.fullmatch(message[start : start + length])
    return match[0].decode("ascii") if match else ""


def is_opaque(url: str) -> bool:
    """Whether `url` is a service's that hides the publisher's."""
    return (urlsplit(url).hostname or "") == "news.google.com"
