"""The shard of a language: its current stories, and which article is in which."""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import numpy as np

from transforms.identity import FIRST_TIME
from transforms.order import ID, KEY, id_of, id_shard, micros_of
from transforms.shards import Sent, Work, pack, unpack
from transforms.stories.config import StoriesConfig
from transforms.stories.terms import weights_of

SEARCHED = 24
"""Terms of an article by which stories are looked for."""
COMPARED = 12
"""Most stories that an article is compared with."""
STORY_TERMS = 200
"""Terms of a story that are kept."""

_NOTICE = struct.Struct(f"<{KEY}sq{ID}s12sH")
_PLACED = struct.Struct(f"<{ID}s{ID}sQ")
_STORY = struct.Struct(f"<{ID}sQqI12sI")
_TOLD = struct.Struct(f"<{KEY}s{ID}sd")
_HOUR = 3_600_000_000
_UNKNOWN = round(FIRST_TIME * 1_000_000)


class Notice(NamedTuple):
    """What a shard is told of an article."""

    key: bytes
    time: int
    """When it was published, else seen; microseconds since 1970."""
    copies: bytes
    """Id of the article it is a copy of; zeros if of none."""
    language: str
    terms: dict[int, float]

    def packed(self) -> bytes:
        head = _NOTICE.pack(self.key, self.time, self.copies, self.language.encode()[:12], len(self.terms))
        return head + np.array(list(self.terms), np.uint32).tobytes() + np.array(list(self.terms.values())).tobytes()


def unpack_notice(packed: bytes) -> Notice:
    """The notice that `packed` made."""
    key, time, copies, language, count = _NOTICE.unpack_from(packed)
    terms = np.frombuffer(packed, np.uint32, count, _NOTICE.size).tolist()
    weights = np.frombuffer(packed, np.float64, count, _NOTICE.size + 4 * count).tolist()
    return Notice(key, time, copies, language.rstrip(b"\0").decode(), dict(zip(terms, weights, strict=True)))


def told(key: bytes, story: bytes, score: float) -> bytes:
    """Which story an article belongs to."""
    return b"S" + _TOLD.pack(key, story, score)


def unpack_told(packed: bytes) -> tuple[bytes, bytes, float]:
    """Key, story, score."""
    return _TOLD.unpack_from(packed, 1)


@dataclass
class _Story:
    id: bytes
    language: str
    seen: int
    """When its latest article was seen."""
    time: int
    """When its latest article was published."""
    articles: int
    terms: dict[int, float] = field(default_factory=dict)
    length: float = 1.0


def _apart(one: int, other: int) -> int:
    """Microseconds between two times; none where one is not known, which says nothing against one event."""
    return 0 if _UNKNOWN in (one, other) else abs(one - other)


class StoryMemory:
    """Remembers stories as sums of the vectors of their articles, with an index from terms to stories."""

    def __init__(self, config: StoriesConfig) -> None:
        self._config = config
        self._gate = round(config.gate_hours * 3_600_000_000)
        self._stories: dict[bytes, _Story] = {}
        self._by_term: dict[tuple[str, int], dict[bytes, None]] = {}
        self._story_of: dict[bytes, tuple[bytes, int]] = {}
        self._newest = 0
        self._forgot = 0

    def replay(self, entry: bytes) -> None:
        for packed in unpack(entry):
            if packed[:1] == b"A":
                article, story, seen = _PLACED.unpack_from(packed, 1)
                self._place(article, story, seen)
            else:
                identity, seen, time, articles, language, count = _STORY.unpack_from(packed, 1)
                at = 1 + _STORY.size
                terms = np.frombuffer(packed, np.uint32, count, at).tolist()
                weights = np.frombuffer(packed, np.float64, count, at + 4 * count).tolist()
                self._keep(
                    _Story(
                        *(identity, language.rstrip(b"\0").decode(), seen, time, articles),
                        terms=dict(zip(terms, weights, strict=True)),
                    )
                )

    def _place(self, article: bytes, story: bytes, seen: int) -> bytes:
        self._story_of[article] = (story, seen)
        self._newest = max(self._newest, seen)
        return b"A" + _PLACED.pack(article, story, seen)

    def _keep(self, story: _Story) -> bytes:
        """Puts a story, new or changed, into the index; returns its entry for the log."""
        story.length = math.sqrt(sum(weight * weight for weight in story.terms.values())) or 1.0
        old = self._stories.get(story.id)
        self._stories[story.id] = story
        for term in story.terms:
            if old is None or term not in old.terms:
                self._by_term.setdefault((story.language, term), {})[story.id] = None
        if old is not None:
            for term in old.terms.keys() - story.terms.keys():
                del self._by_term[story.language, term][story.id]
        head = _STORY.pack(
            *(story.id, story.seen, story.time, story.articles, story.language.encode(), len(story.terms))
        )
        weights = np.array(list(story.terms.values())).tobytes()
        return b"S" + head + np.array(list(story.terms), np.uint32).tobytes() + weights

    def _drop(self, story: _Story) -> None:
        del self._stories[story.id]
        for term in story.terms:
            stories = self._by_term[story.language, term]
            del stories[story.id]
            if not stories:
                del self._by_term[story.language, term]

    def work(self, messages: Sequence[bytes]) -> Work:
        sent: list[Sent] = []
        changed: dict[bytes, bytes] = {}
        placed: dict[bytes, bytes] = {}
        for packed in sorted(messages):  # a notice begins with its key
            notice = unpack_notice(packed)
            article, seen = id_of(notice.key), micros_of(notice.key)
            story, score = self._assign(notice, article, seen, changed)
            placed[article] = self._place(article, story, seen)
            sent.append(Sent("articles", id_shard(article, self._config.shards), told(notice.key, story, score)))
        self._forget()
        learnt = [*placed.values(), *(entry for story, entry in changed.items() if story in self._stories)]
        return Work(sent=sent, learnt=pack(learnt) if learnt else b"")

    def _assign(self, notice: Notice, article: bytes, seen: int, changed: dict[bytes, bytes]) -> tuple[bytes, float]:
        for known in (notice.copies, article):
            place = self._story_of.get(known)
            if place is not None and seen - place[1] <= 2 * self._gate:
                # A copy or a revision: it belongs where the other is, and tells the story nothing new.
                return place[0], self._score(notice, self._stories.get(place[0]))
        story, score = self._nearest(notice, seen)
        if story is None:
            new = _Story(article, notice.language, seen, notice.time, 1, dict(notice.terms))
            changed[article] = self._keep(new)
            return article, 1.0
        sums = dict(story.terms)
        for term, weight in notice.terms.items():
            sums[term] = sums.get(term, 0.0) + weight
        if len(sums) > STORY_TERMS:
            heaviest = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:STORY_TERMS]
            sums = dict(heaviest)
        changed[story.id] = self._keep(
            _Story(
                *(story.id, story.language, max(seen, story.seen), max(notice.time, story.time), story.articles + 1),
                terms=sums,
            )
        )
        return story.id, score

    def _nearest(self, notice: Notice, seen: int) -> tuple[Optional[_Story], float]:
        """The story most like the article, of those that are not over; None if none is like enough."""
        found: dict[bytes, float] = {}
        for term, weight in list(notice.terms.items())[:SEARCHED]:
            for identity in self._by_term.get((notice.language, term), ()):
                found[identity] = found.get(identity, 0.0) + weight * self._stories[identity].terms[term]
        likely = sorted((-product / self._stories[identity].length, identity) for identity, product in found.items())
        threshold = self._config.similar if weights_of(notice.language) else self._config.similar_unweighed
        best: tuple[float, bytes] = (-threshold, b"")
        open_stories = 0
        for _, identity in likely:
            story = self._stories[identity]
            if _apart(seen, story.seen) > self._gate or _apart(notice.time, story.time) > self._gate:
                continue
            open_stories += 1
            if open_stories > COMPARED:
                break
            best = min(best, (-self._score(notice, story), identity))
        return (self._stories[best[1]], -best[0]) if best[1] else (None, 0.0)

    @staticmethod
    def _score(notice: Notice, story: Optional[_Story]) -> float:
        """Cosine, rounded."""
        if story is None:
            return 1.0
        product = sum(weight * story.terms.get(term, 0.0) for term, weight in notice.terms.items())
        return round(min(product / story.length, 1.0), 4)

    def _forget(self) -> None:
        """Frees what can no longer count; hourly, as it looks at everything."""
        if self._newest - self._forgot < _HOUR:
            return
        self._forgot = self._newest
        oldest = self._newest - self._gate
        for story in [story for story in self._stories.values() if story.seen < oldest]:
            self._drop(story)
        # Copies may come as late as copies are looked for, and find the story of the first.
        self._story_of = {
            article: place for article, place in self._story_of.items() if place[1] >= oldest - self._gate
        }

    def live_bytes(self) -> int:
        stories = sum(_STORY.size + 5 + 12 * len(story.terms) for story in self._stories.values())
        return stories + len(self._story_of) * (_PLACED.size + 5)

    def compacted(self) -> Iterable[bytes]:
        placed = [b"A" + _PLACED.pack(article, *place) for article, place in sorted(self._story_of.items())]
        yield pack([*placed, *(self._keep(story) for _, story in sorted(self._stories.items()))])


@dataclass(frozen=True)
class StoryShards:
    """Makes the memory of each shard."""

    config: StoriesConfig

    def __call__(self, shard: int) -> StoryMemory:
        return StoryMemory(self.config)
