"""The identity of an article: its canonical URL, its id, the hash of its content, and its time in the stream."""

import hashlib
import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Optional
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from newsbeam.transforms.model.records import Article

FIRST_TIME = 0.0
"""The event time of an article without any known time."""

_LONGEST_URL = 4096
_IN_FRAGMENT = "#/!?=&:;,%"

# courlan's pattern for tracking parameters also takes `cid`, `eid`, `uid` and `gallery`, which tell articles apart on
# many sites. So the names are given in full here, after the lists it names (AdGuard's and ClearURLs').
_TRACKING_PREFIXES = (
    *("utm_", "utm-", "at_", "ns_", "pk_", "mtm_", "matomo_", "piwik_", "hsa_", "_hs", "oly_", "vero_", "itm_", "mkt_"),
    *("__cft__", "__tn__", "__twitter", "guce_", "fb_", "xtor", "wt_", "wt.", "cx_", "trk_", "_x_tr_", "aff_"),
)


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_TRACKING = _names(
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid li_fat_id igshid igsh "
    "mc_cid mc_eid cmp cmpid cmp_id campaign campaign_id campaignid icid ito spm _ga _gl ga_source "
    "ga_medium ga_campaign ga_content ga_term ocid ncid sr_share ftag guccounter soc_src soc_trk referrer "
    "referer ref_src ref_url refsrc traffic_source smid smtyp smprod rss amp _amp amp_js_v usqp googleamp "
    "partnerref feedname rssfeed socialreferrer social_ref shared sharetype share_source mbid tpcc ref_ "
    "reflink linkback cvid ved usg"
)
_SESSIONS = _names("phpsessid jsessionid aspsessionid sessionid session_id sessid asp.net_sessionid cfid cftoken zenid")
# Names that say where the reader came from on one site, and number the article on another.
_TRACKING_UNLESS_A_NUMBER = _names("ref source src from via partner origin feed medium share")
_AMP_SWITCHES = _names("output outputtype type format view mode display")
_SESSION_VALUE = re.compile(r"[0-9a-f]{24,}\Z", re.IGNORECASE)

_READER_HOSTS = ("www.", "amp.", "m.", "mobile.")
_GOOGLE_AMP = re.compile(r"/amp/(s/)?([^/].*)\Z", re.DOTALL)
_AMP_CACHE = re.compile(r"/[cvwi]/(s/)?([^/].*)\Z", re.DOTALL)
_PAGES = _names("page p pg seite pagina start offset")
_LONG_NUMBER = re.compile(r"[0-9]{5,}")


def canonical_url(url: str) -> str:
    """Returns one string for all addresses of an article, or an empty one if `url` is not an address on the web.

    It is for telling articles apart, and need not be reachable: `https` stands for `http` too, `www.`, `m.`, `mobile.`
    and `amp.` are dropped from the host, and so are AMP's caches, paths and switches, tracking parameters, session ids,
    fragments (but not `#!`), default ports, user names and a slash at the end. What else is there stays: two articles
    never become one. The rest is RFC 3986, section 6.2.2 (case, percent-encoding, dot segments).
    """
    text = "".join(url[:_LONGEST_URL].split()).replace("&amp;", "&").replace("&#38;", "&")
    try:
        parts = urlsplit(text)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not host:
        return ""
    inner = _behind_amp(host, parts.path)
    if inner:
        return canonical_url(inner + (f"?{parts.query}" if parts.query else ""))
    authority = _without_reader(host) if port in (None, 80, 443) else f"{_without_reader(host)}:{port}"
    query = _query(parts.query)
    path = _path(parts.path)
    fragment = f"#{quote(parts.fragment, safe=_IN_FRAGMENT)}" if parts.fragment.startswith("!") else ""
    return f"https://{authority}{path}{'?' if query else ''}{query}{fragment}"


def _ascii_host(host: str) -> str:
    host = host.strip(".").lower()
    if host.isascii():
        return host
    return host.encode("idna").decode("ascii").lower()


def _without_reader(host: str) -> str:
    for prefix in _READER_HOSTS:
        if host.startswith(prefix) and host.count(".") >= 2:
            return _without_reader(host[len(prefix) :])
    return host


def _behind_amp(host: str, path: str) -> Optional[str]:
    if host.startswith(("www.google.", "google.")):
        match = _GOOGLE_AMP.match(path)
    elif host.endswith(".cdn.ampproject.org"):
        match = _AMP_CACHE.match(path)
    else:
        return None
    if match is None or "." not in match[2].split("/")[0]:
        return None
    return f"https://{match[2]}"


def _path(path: str) -> str:
    kept: list[str] = []
    for raw in path.split("/"):
        segment = raw.partition(";")[0] if ";jsessionid=" in raw.lower() else raw
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(quote(_unreserved(segment), safe="!$&'()*+,;=:@%~"))
    if len(kept) > 1 and kept[-1].lower() == "amp":
        kept.pop()
    if len(kept) > 1 and kept[0].lower() == "amp":
        kept.pop(0)
    if kept and kept[-1].lower().endswith((".amp", ".amp.html")):
        stem, _, rest = kept[-1].rpartition(".amp")
        kept[-1] = stem + rest if stem else kept[-1]
    return "/" + "/".join(kept)


_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")


def _unreserved(text: str) -> str:
    """Decodes characters that need no percent-encoding and writes the remaining escapes in capitals (RFC 3986,
    6.2.2)."""

    def once(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character.isascii() and (character.isalnum() or character in "-._~") else match[0].upper()

    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", _ESCAPED.sub(once, text))


def _query(query: str) -> str:
    kept = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=None, errors="replace")
        if not _is_tracking(name.lower(), value)
    ]
    # Only by name: the order of values of one name may mean something.
    kept.sort(key=lambda field: field[0])
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in kept)


def _is_tracking(name: str, value: str) -> bool:
    return (
        name in _TRACKING
        or name in _SESSIONS
        or name.startswith(_TRACKING_PREFIXES)
        or (name in _TRACKING_UNLESS_A_NUMBER and not value.isdigit())
        or (name in _AMP_SWITCHES and value.lower() == "amp")
        or (name == "sid" and _SESSION_VALUE.match(value) is not None)
    )


def identity_url(url: str, declared: str) -> str:
    """The canonical form of `url`, or of the address its page declares for itself (`rel=canonical`) if that is safe.

    Pages declare the front page, a section, another outlet or the wrong article as canonical. So what a page declares
    is believed only on its own host, and only if it plainly names the same article: its last segment is that of `url`
    and is more than a word or two, or both have the same long numbers; and it drops neither a page number nor, where
    the path names nothing by itself, the query. Otherwise `url` speaks for itself.
    """
    own, other = canonical_url(url), canonical_url(declared)
    if not own or not other or own == other:
        return own or other
    mine, theirs = urlsplit(own), urlsplit(other)
    if mine.netloc != theirs.netloc:
        return own
    my_fields, their_fields = dict(parse_qsl(mine.query)), dict(parse_qsl(theirs.query))
    if any(my_fields.get(name) != their_fields.get(name) for name in _PAGES):
        return own
    name = theirs.path.rpartition("/")[2]
    numbers = set(_LONG_NUMBER.findall(f"{theirs.path}?{theirs.query}"))
    my_numbers = set(_LONG_NUMBER.findall(f"{mine.path}?{mine.query}"))
    names_it = len(re.findall(r"[^\W_]+", unquote(name))) >= 3 or _LONG_NUMBER.search(name) is not None
    if names_it and name == mine.path.rpartition("/")[2] and not my_numbers - numbers - set(my_fields.values()):
        return other
    if numbers and numbers == my_numbers:
        return other
    return own


def content_hash(title: str, text: str) -> str:
    """Returns the hash of title and text with their white space normalized: it changes with the visible text."""
    words = " ".join(unicodedata.normalize("NFC", text).split())
    head = " ".join(unicodedata.normalize("NFC", title).split())
    return hashlib.blake2b(f"{head}\n{words}".encode("utf-8", "replace"), digest_size=16).hexdigest()


def article_id(url: str, guid: str, feed_url: str, outlet: str, content: str, part: str = "") -> str:
    """The id of an article, 20 hexadecimal digits: from its identity URL, and what tells it apart from others at this
    URL (`part`), else from its guid in its feed, else from who published it and the hash of its content."""
    if url:
        key = f"{url}\n{part}" if part else url
    elif guid and feed_url:
        key = f"guid\n{feed_url}\n{guid}"
    else:
        key = f"content\n{outlet}\n{content}"
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=10).hexdigest()


_TIME = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?)?)?)?(.*)\Z")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)\Z")


@lru_cache(maxsize=1024)  # the times of an article are asked for by every stage that puts it in order
def seconds(time: Optional[str]) -> Optional[float]:
    """A time of a record (ISO 8601, also `2024` and `2024-03`) as seconds since 1970; None if it is none.

    A time with no zone is read as UTC and a date as its first moment: good for putting in order, not for telling.
    """
    match = _TIME.match(time.strip()) if time else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups()[:6])
    try:
        moment = datetime(
            year or 1, month or 1, day or 1, hour or 0, minute or 0, min(second or 0, 59), tzinfo=timezone.utc
        ).timestamp()
    except ValueError:
        return None
    offset = _OFFSET.match(match[8].strip())
    if offset:
        shift = int(offset[2]) * 3600 + int(offset[3]) * 60
        moment -= shift if offset[1] == "+" else -shift
    return moment + int((match[7] or "0").ljust(6, "0")) / 1_000_000


def order_time(article: Article) -> float:
    """The first part of an article's place in the total order, in seconds since 1970 UTC: when its text was fetched,
    else when newsbeam saw it, else `FIRST_TIME`: what has no time comes first, as in a replay's plan.

    Not when its feed was polled: pages of one poll are fetched one after the other, and one that is earlier in the
    order must not arrive later, or of two copies both would stay.
    """
    for time in (article.fetched_at, article.origin.seen_at):
        known = seconds(time)
        if known is not None:
            return known
    return FIRST_TIME


def event_time(article: Article) -> float:
    """When the article entered the stream, in seconds since 1970 UTC: as it was fetched, else as newsbeam saw it, else
    as it was published, else `FIRST_TIME`. Whether two articles are near enough in time goes by this."""
    known = order_time(article)
    return known if known != FIRST_TIME else seconds(article.published_at) or FIRST_TIME


def identify(article: Article) -> Article:
    """Fills `id`, `url_canonical` (taken as what the page declares, if it has something), `domain`, `content_hash`."""
    url = identity_url(article.url, article.url_canonical)
    declared = article.url_canonical
    elsewhere = canonical_url(declared) if declared and declared != url else ""
    if urlsplit(elsewhere).hostname == urlsplit(url).hostname:
        elsewhere = ""
    part = article.origin.part or ""  # a record of an earlier version has none
    content = content_hash(article.title, article.text)
    outlet = article.domain or article.publisher or article.origin.publisher
    return replace(
        article,
        origin=replace(article.origin, canonical_elsewhere=elsewhere or article.origin.canonical_elsewhere),
        id=article_id(url, article.guid, article.feed_url, outlet, content, part),
        url_canonical=f"{url}{quote(part, safe=_IN_FRAGMENT)}" if url and part.startswith("#") else url,
        domain=(urlsplit(url).hostname or "") if url else article.domain,
        content_hash=content,
    )
