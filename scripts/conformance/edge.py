"""Plays `edge/`: hand-written feeds, each with its expected result."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsbeam.transforms.feeds.autodiscovery import discover_feeds
from newsbeam.transforms.feeds.document import ParsedFeed
from newsbeam.transforms.feeds.entries import has_full_text
from newsbeam.transforms.feeds.identity import new_and_updated
from newsbeam.transforms.feeds.text import plain_text
from newsbeam.transforms.http.addresses import AddressRules, check_url
from newsbeam.transforms.language.identify import detect
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Entry
from scripts.conformance.reading import Read, count, document, feed_sandbox, read_all, summary
from scripts.conformance.result import GroupResult

_LIVE_MARKUP = re.compile(r"<\s*/?\s*(?:script|iframe|img|svg|a|b|i|p|div|span|style|object)\b", re.IGNORECASE)
Row = dict[str, Any]


def run(folder: Path) -> GroupResult:
    """Checks every expectation of `edge/expect.jsonl`; successive polls of one feed are a case each."""
    rows = [json.loads(line) for line in (folder / "edge" / "expect.jsonl").read_text().splitlines() if line.strip()]
    documents = [document(folder, row["file"], row.get("content_type", "")) for row in rows]
    with feed_sandbox() as sandbox:
        reads = list(read_all(sandbox, documents))
    failures: dict[str, list[str]] = {}
    for row, read in zip(rows, reads, strict=True):
        failures[row["file"]] = [
            f"{name}: {wrong}" for name, check in _CHECKS.items() if name in row for wrong in check(row, read)
        ]
        if "discover" in row:
            text = (folder / row["file"]).read_text("utf-8", "replace")
            addresses = [feed.url for feed in discover_feeds(text, documents[0].url)]
            failures[row["file"]] += [] if addresses == row["discover"] else [f"discover: {addresses}"]
    for name, wrong in _sequences(rows, reads):
        failures[name] = failures.get(name, []) + wrong
    for name, wrong in _across_feeds(rows, reads):
        failures[name] = failures.get(name, []) + wrong
    lines = tuple(f"{name}: {'; '.join(wrong)}" for name, wrong in failures.items() if wrong)
    return GroupResult("edge", len(failures) - len(lines), len(failures), lines)


def _entries(read: Read) -> Sequence[Entry]:
    return read.entries if isinstance(read, ParsedFeed) else ()


def _expect(condition: object, found: object) -> Iterator[str]:
    if not condition:
        yield f"{found!r}"[:300]


def _entry_count(row: Row, read: Read) -> Iterator[str]:
    wanted = row["entries"]
    if wanted == "any":
        return
    low, _, high = str(wanted).partition("-")
    given_up = wanted == 0 and not isinstance(read, ParsedFeed)
    yield from _expect(given_up or int(low) <= count(read) <= int(high or low), summary(read))
    names = [entry.identity for entry in _entries(read)]
    yield from _expect(all(names) and len(set(names)) == len(names), names)


def _dead_letter(row: Row, read: Read) -> Iterator[str]:
    if row["dead_letter"] is True:
        yield from _expect(not isinstance(read, ParsedFeed), summary(read))


def _urls(row: Row, read: Read) -> Iterator[str]:
    yield from _expect([entry.url for entry in _entries(read)] == row["urls"], [entry.url for entry in _entries(read)])


def _detect(row: Row, read: Read) -> Iterator[str]:
    yield from _expect(isinstance(read, ParsedFeed) and read.format == row["detect"], summary(read))


def _feeds(row: Row, read: Read) -> Iterator[str]:
    addresses = [further.url for further in read.further] if isinstance(read, ParsedFeed) else []
    yield from _expect(addresses == row["feeds"], addresses)


def _title(row: Row, read: Read) -> Iterator[str]:
    wanted = [row["title"]] if "title" in row else row["titles"]
    titles = [entry.title for entry in _entries(read)]
    for title, want in zip(titles, wanted, strict=False):
        if want is None:
            yield from _expect(not _LIVE_MARKUP.search(title), title)
        elif want == "no-script":
            yield from _expect("script" not in title and "alert" not in title, title)
        else:
            yield from _expect(title == want, title)
    yield from _expect(len(titles) >= len(wanted), titles)


def _date(row: Row, read: Read) -> Iterator[str]:
    for entry in _entries(read):
        flagged = any(warning.startswith("published_") for warning in entry.warnings)
        shown = (entry.published_at, entry.warnings)
        if row["date"] == "parsed":
            yield from _expect(entry.published_at and not flagged, shown)
        elif row["date"] == "missing":
            yield from _expect(entry.published_at is None, shown)
        elif row["date"] in ("flag", "clamp-or-flag"):
            yield from _expect(entry.published_at is None and flagged, shown)


def _link(row: Row, read: Read) -> Iterator[str]:
    wanted = row.get("link_prefer", row.get("link"))
    rejected = isinstance(read, ParsedFeed) and [item.reason for item in read.rejected] == ["bad_link"]
    url = next((entry.url for entry in _entries(read)), None)
    if wanted == "reject":
        yield from _expect(rejected, url)
    elif wanted == "ssrf":
        yield from _expect(rejected or (url and _is_blocked(url)), url)
    elif wanted == "missing":
        yield from _expect(url == "", url)
    elif wanted == "missing-or-base":
        yield from _expect(url == "" or url == "https://news.example.org/", url)
    elif wanted == "too-long-or-keep":
        yield from _expect(rejected or url, url)
    elif wanted == "opaque":
        warned = any("url_unresolved" in warning for entry in _entries(read) for warning in entry.warnings)
        yield from _expect(url and warned and _entries(read)[0].publisher, (url, warned))
    elif wanted == "strip-userinfo":
        yield from _expect(url and "@" not in urlsplit(url).netloc, url)
    elif wanted.startswith("idn:"):
        host = urlsplit(url or "").hostname or ""
        yield from _expect(host.encode("idna").decode() == wanted[4:], url)
    else:
        yield from _expect(url == wanted, url)


def _is_blocked(url: str) -> bool:
    try:
        check_url(url, AddressRules())
    except Rejected:
        return True
    return False


def _full_text(row: Row, read: Read) -> Iterator[str]:
    entry = _entries(read)[0]
    yield from _expect(has_full_text(entry) != row["page_fetch_needed"], entry.content)
    yield from _expect(len(plain_text(entry.content)) >= row.get("min_text_chars", 0), len(entry.content))


def _enclosures(row: Row, read: Read) -> Iterator[str]:
    yield from _expect(_entries(read)[0].image_url, "no image")


def _languages(row: Row, read: Read) -> Iterator[str]:
    found = [detect(f"{entry.title}. {entry.summary}", hint=entry.language).tag for entry in _entries(read)]
    yield from _expect(found == row["langs"], found)


def _interval(row: Row, read: Read) -> Iterator[str]:
    if row.get("note") in ("any", "cap"):
        return
    hint = read.hints.min_interval_seconds if isinstance(read, ParsedFeed) else -1
    yield from _expect(hint == row["min_interval_hint_s"], hint)


def _note(row: Row, read: Read) -> Iterator[str]:
    if not isinstance(read, ParsedFeed):
        yield summary(read)
        return
    hints, note = read.hints, row["note"]
    if note == "hub":
        yield from _expect(hints.hub, hints)
    elif note.startswith("ignore"):
        yield from _expect(not hints.skip_hours and not hints.skip_days, hints)
    elif note == "skip 00-02 GMT":
        yield from _expect(hints.skip_hours == (0, 1, 2), hints)
    elif note == "skip Sat, Sun":
        yield from _expect(hints.skip_days == ("Saturday", "Sunday"), hints)


_CHECKS: dict[str, Callable[[Row, Read], Iterator[str]]] = {
    "entries": _entry_count,
    "dead_letter": _dead_letter,
    "urls": _urls,
    "detect": _detect,
    "feeds": _feeds,
    "title": _title,
    "titles": _title,
    "date": _date,
    "link": _link,
    "link_prefer": _link,
    "page_fetch_needed": _full_text,
    "enclosures_min": _enclosures,
    "langs": _languages,
    "min_interval_hint_s": _interval,
    "note": _note,
}


def _sequences(rows: Sequence[Row], reads: Sequence[Read]) -> Iterator[tuple[str, list[str]]]:
    """Polls one feed repeatedly; returns what was new and updated at each poll."""
    polls: dict[str, list[tuple[int, Row, Read]]] = {}
    for row, read in zip(rows, reads, strict=True):
        if row.get("group", "").startswith("seq:"):
            polls.setdefault(row["group"], []).append((row["poll"], row, read))
    for name, group in polls.items():
        known: dict[str, str] = {}
        new, updated, wrong = [], [], []
        expected: Row = {}
        for _, row, read in sorted(group, key=lambda poll: poll[0]):
            changes = new_and_updated(_entries(read), known)
            known.update(changes.remember)
            new.append(len(changes.new))
            updated.append(len(changes.updated))
            expected.update(row)
        for what, counts in (("new", new), ("updated", updated)):
            if what in expected and expected[what] != counts:
                wrong.append(f"{what}: {counts}, expected {expected[what]}")
        yield name, wrong


def _across_feeds(rows: Sequence[Row], reads: Sequence[Read]) -> Iterator[tuple[str, list[str]]]:
    """Checks that entries of several feeds with the same guid stay several entries."""
    names = [
        (entry.feed_url, entry.identity)
        for row, read in zip(rows, reads, strict=True)
        if row.get("group") == "xfeed"
        for entry in _entries(read)
    ]
    if names:
        yield "xfeed", [] if len(set(names)) == len(names) else [f"{names}"]
