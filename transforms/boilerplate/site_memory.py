"""What a host prints again and again in different articles is boilerplate: the memory of one shard of hosts.

Pure, and in the shape of `transforms.shards.Memory`: articles are worked through in the order (event time, id), each is
judged by those before it alone, then learnt. So the verdicts depend neither on arrival nor on the number of workers;
the first articles of a host gain nothing from the later ones.

A line is flagged if enough earlier articles of the host within the horizon have it, to the letter (digits too: a score
or a price is not boilerplate because another page has one). Near-copies do not vote: an earlier article that shares
half of its lines or of this one's is the same story again, and of voters that are copies of each other one counts.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from transforms.boilerplate.characters import count_words
from transforms.boilerplate.line_words import words_of
from transforms.boilerplate.strip import all_lines
from transforms.records import Article, RemovedBlock

HORIZON_HOURS = 14 * 24
VOTES = 2
VOTES_SHORT = 3
"""Sub-headings, datelines and notes to the reader are short and come again by chance: they need more."""
SHORT_WORDS = 8
COPY_SHARE = 0.5
MOST_VOTERS = 16
MOST_LINES = 2_000
MOST_ARTICLES = 48
"""Of a host, the newest; more would not change what `MOST_VOTERS` of them say, and would fill the memory."""
RULE = "site_repeat"

_HEAD = struct.Struct("<qQQH")
_HOUR = 3_600_000_000


class Printed(NamedTuple):
    """What one article printed: when it was seen, keys of host and id, a hash for each line (odd for short ones)."""

    micros: int
    host: int
    article: int
    lines: tuple[int, ...]

    def packed(self) -> bytes:
        """As a message to a shard, and as an entry of its log."""
        return _HEAD.pack(self.micros, self.host, self.article, len(self.lines)) + struct.pack(
            f"<{len(self.lines)}Q", *self.lines
        )


def printed(article: Article, micros: int) -> Printed:
    """The signature of an article's kept lines, first seen at `micros` (microseconds since 1970, UTC)."""
    lines = article.text.split("\n")[:MOST_LINES] if article.text else []
    return Printed(micros, _key(article.domain), _key(article.id or article.url), tuple(map(_line_key, lines)))


def unpack_printed(message: bytes) -> Printed:
    """Reads what `Printed.packed` wrote."""
    micros, host, article, count = _HEAD.unpack_from(message)
    return Printed(micros, host, article, struct.unpack_from(f"<{count}Q", message, _HEAD.size))


def drop_repeats(article: Article, places: Sequence[int]) -> Article:
    """Moves the kept lines at `places` (counted among the kept ones) to `removed_blocks`; never all of them."""
    lines = all_lines(article)
    kept = [number for number, (_, rule) in enumerate(lines) if rule is None]
    if not places or len(places) >= len(kept):
        return article
    for place in places:
        lines[kept[place]] = (lines[kept[place]][0], RULE)
    text = "\n".join(line for line, rule in lines if rule is None)
    removed = tuple(RemovedBlock(rule, line, number) for number, (line, rule) in enumerate(lines) if rule is not None)
    return replace(article, text=text, word_count=count_words(text), removed_blocks=removed)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _line_key(line: str) -> int:
    """A hash of the line; its lowest bit says that the line is short."""
    return _key(line) & ~1 | (len(words_of(line)) < SHORT_WORDS)


@dataclass
class _Known:
    micros: int
    lines: frozenset[int]


class SiteMemory:
    """What the hosts of one shard have printed within the horizon."""

    def __init__(self, horizon_hours: float = HORIZON_HOURS) -> None:
        self._horizon = int(horizon_hours * _HOUR)
        self._articles: dict[tuple[int, int], _Known] = {}
        self._having: dict[tuple[int, int], list[int]] = {}
        self._of_host: dict[int, list[int]] = {}
        self._newest = 0

    def judge(self, one: Printed) -> tuple[int, ...]:
        """Places of the lines that earlier, different articles of the host have."""
        own = frozenset(one.lines)
        voters = self._voters(one, own)
        places = []
        for place, line in enumerate(one.lines):
            having = [lines for lines in voters if line in lines]
            if len(having) >= (VOTES_SHORT if line & 1 else VOTES):
                places.append(place)
        return tuple(places)

    def learn(self, one: Printed) -> None:
        """Remembers an article; the same one again takes the place of what was known of it."""
        key = (one.host, one.article)
        known = self._articles.get(key)
        if known is not None:
            for line in known.lines - frozenset(one.lines):
                self._having[one.host, line].remove(one.article)
        lines = frozenset(one.lines)
        for line in sorted(lines - (known.lines if known else frozenset())):
            self._having.setdefault((one.host, line), []).append(one.article)
        self._articles[key] = _Known(one.micros, lines)
        self._newest = max(self._newest, one.micros)
        if known is None:
            articles = self._of_host.setdefault(one.host, [])
            articles.append(one.article)
            if len(articles) > MOST_ARTICLES:
                self._drop(one.host, articles[0])

    def _voters(self, one: Printed, own: frozenset[int]) -> list[frozenset[int]]:
        """The line sets of earlier articles that share a line with this one, without copies of it and of each other."""
        near: set[int] = set()
        for line in own:
            near.update(self._having.get((one.host, line), ())[-MOST_VOTERS:])
        near.discard(one.article)
        known = [
            (entry.micros, article, entry.lines)
            for article in near
            if 0 <= one.micros - (entry := self._articles[one.host, article]).micros <= self._horizon
            and (entry.micros, article) < (one.micros, one.article)
        ]
        out: list[frozenset[int]] = []
        for _, _, lines in sorted(known, key=lambda item: (-item[0], item[1])):
            if _copies(lines, own) or any(_copies(lines, other) for other in out):
                continue
            out.append(lines)
            if len(out) == MOST_VOTERS:
                break
        return out

    def replay(self, entry: bytes) -> None:
        """Learns one entry of the log again."""
        place = 0
        while place < len(entry):
            one = unpack_printed(entry[place:])
            self.learn(one)
            place += _HEAD.size + 8 * len(one.lines)

    def read(self, one: Printed) -> tuple[int, ...]:
        """Judges an article, then learns it; articles are to come in the order (time, id)."""
        places = self.judge(one)
        self.learn(one)
        return places

    def forget(self) -> None:
        """Drops what is past the horizon."""
        old = [key for key, known in self._articles.items() if self._newest - known.micros > self._horizon]
        for host, article in old:
            self._drop(host, article)

    def _drop(self, host: int, article: int) -> None:
        for line in self._articles.pop((host, article)).lines:
            having = self._having[host, line]
            having.remove(article)
            if not having:
                del self._having[host, line]
        self._of_host[host].remove(article)
        if not self._of_host[host]:
            del self._of_host[host]

    def live_bytes(self) -> int:
        """About how long a compacted log would be."""
        return sum(_HEAD.size + 8 * len(known.lines) for known in self._articles.values())

    def compacted(self) -> Iterable[bytes]:
        """The entries of such a log, oldest first. Doubled lines of one article are in it once."""
        ordered = sorted(self._articles.items(), key=lambda item: (item[1].micros, item[0]))
        for (host, article), known in ordered:
            yield Printed(known.micros, host, article, tuple(sorted(known.lines))).packed()


def _copies(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= COPY_SHARE * min(len(one), len(other))
