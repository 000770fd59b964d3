"""What a host prints again and again in different articles is boilerplate: the memory of one shard of hosts.

Pure, and in the shape of `runtime.memories.Memory`: articles are worked through in the order (event time, id), each
is judged by those before it alone, then learnt. So the verdicts depend neither on arrival nor on the number of workers;
the first articles of a host gain nothing from the later ones.

A line is flagged if enough earlier articles of the host within the horizon have it, to the letter (digits too: a score
or a price is not boilerplate because another page has one). Near-copies do not vote: an earlier article that shares
half of its lines or of this one's is the same story again, and of voters that are copies of each other one counts.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from newsbeam.transforms.boilerplate.strip import all_lines
from newsbeam.transforms.model.records import Article, RemovedBlock
from newsbeam.transforms.text.characters import words_in_lines
from newsbeam.transforms.text.words import count_words

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
        return _HEAD.pack(self.micros, self.host, self.article, len(self.lines)) + _packed(self.lines)


def printed(article: Article, micros: int) -> Printed:
    """The signature of an article's kept lines, first seen at `micros` (microseconds since 1970, UTC)."""
    lines = article.text.split("\n")[:MOST_LINES] if article.text else []
    words = words_in_lines(lines).tolist()
    keys = (_key(line) & ~1 | (count < SHORT_WORDS) for line, count in zip(lines, words, strict=True))
    return Printed(micros, _key(article.domain), _key(article.id or article.url), tuple(keys))


def unpack_printed(message: bytes) -> Printed:
    """Reads what `Printed.packed` wrote."""
    micros, host, article, count = _HEAD.unpack_from(message)
    return Printed(micros, host, article, _unpacked(message[_HEAD.size : _HEAD.size + 8 * count]))


def _packed(lines: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(lines)}Q", *lines)


def _unpacked(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}Q", packed)


def drop_repeats(article: Article, indexes: Sequence[int]) -> Article:
    """Moves the kept lines at `places` (counted among the kept ones) to `removed_blocks`; never all of them."""
    lines = all_lines(article)
    kept = [number for number, (_, rule) in enumerate(lines) if rule is None]
    if not indexes or len(indexes) >= len(kept):
        return article
    for index in indexes:
        lines[kept[index]] = (lines[kept[index]][0], RULE)
    text = "\n".join(line for line, rule in lines if rule is None)
    removed = tuple(RemovedBlock(rule, line, number) for number, (line, rule) in enumerate(lines) if rule is not None)
    return replace(article, text=text, word_count=count_words(text), removed_blocks=removed)


def lost_repeats(article: Article) -> bool:
    """Whether `drop_repeats` has taken lines from it."""
    return any(block.rule == RULE for block in article.removed_blocks)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


class _Known(NamedTuple):
    micros: int
    lines: bytes
    """The hashes of its lines, each once: as numbers in a set they would take six times the memory."""


class SiteMemory:
    """What the hosts of one shard have printed within the horizon."""

    def __init__(self, horizon_hours: float = HORIZON_HOURS) -> None:
        self._horizon = int(horizon_hours * _HOUR)
        self._hosts: dict[int, dict[int, _Known]] = {}
        """Host -> article -> what it printed, in the order in which they came."""
        self._newest = 0

    def judge(self, one: Printed) -> tuple[int, ...]:
        """Places of the lines that earlier, different articles of the host have."""
        voters = self._voters(one)
        indexes = []
        for index, line in enumerate(one.lines):
            votes = sum(line in lines for lines in voters)
            if votes >= (VOTES_SHORT if line & 1 else VOTES):
                indexes.append(index)
        return tuple(indexes)

    def learn(self, one: Printed) -> None:
        """Remembers an article; the same one again takes the place of what was known of it."""
        articles = self._hosts.setdefault(one.host, {})
        articles[one.article] = _Known(one.micros, _packed(sorted(frozenset(one.lines))))
        self._newest = max(self._newest, one.micros)
        if len(articles) > MOST_ARTICLES:
            del articles[next(iter(articles))]

    def _voters(self, one: Printed) -> list[frozenset[int]]:
        """The line sets of earlier articles that share a line with this one, without copies of it and of each other."""
        own = frozenset(one.lines)
        earlier = sorted(
            (-known.micros, article, known.lines)
            for article, known in self._hosts.get(one.host, {}).items()
            if 0 <= one.micros - known.micros <= self._horizon
            and (known.micros, article) < (one.micros, one.article)
            and article != one.article
        )
        out: list[frozenset[int]] = []
        for _, _, packed in earlier:
            lines = frozenset(_unpacked(packed))
            if lines.isdisjoint(own) or _copies(lines, own) or any(_copies(lines, other) for other in out):
                continue
            out.append(lines)
            if len(out) == MOST_VOTERS:
                break
        return out

    def replay(self, entry: bytes) -> None:
        """Learns one entry of the log again."""
        offset = 0
        while offset < len(entry):
            one = unpack_printed(entry[offset:])
            self.learn(one)
            offset += _HEAD.size + 8 * len(one.lines)

    def read(self, one: Printed) -> tuple[int, ...]:
        """Judges an article, then learns it; articles are to come in the order (time, id)."""
        indexes = self.judge(one)
        self.learn(one)
        return indexes

    def forget(self) -> None:
        """Drops what is past the horizon."""
        for host, articles in list(self._hosts.items()):
            for article in [one for one, known in articles.items() if self._newest - known.micros > self._horizon]:
                del articles[article]
            if not articles:
                del self._hosts[host]

    def live_bytes(self) -> int:
        """About how long a compacted log would be."""
        return sum(_HEAD.size + len(known.lines) for articles in self._hosts.values() for known in articles.values())

    def compacted(self) -> Iterable[bytes]:
        """The entries of such a log, oldest first. Doubled lines of one article are in it once."""
        ordered = sorted(
            (known.micros, host, article, known.lines)
            for host, articles in self._hosts.items()
            for article, known in articles.items()
        )
        for micros, host, article, lines in ordered:
            yield _HEAD.pack(micros, host, article, len(lines) // 8) + lines


def _copies(one: frozenset[int], other: frozenset[int]) -> bool:
    return len(one & other) >= COPY_SHARE * min(len(one), len(other))
