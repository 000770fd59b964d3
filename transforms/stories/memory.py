"""The shard of a language: its current stories, and which article is in which."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np

from newsbeam.transforms.model.order import ID, KEY, id_of, id_shard, micros_of
from newsbeam.transforms.runtime.memories import Sent, Work, pack, unpack
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.stories.index import Story, StoryIndex
from newsbeam.transforms.stories.terms import Terms, table_of, unpack_terms

COMPARED = 12
"""Most stories that an article is compared with."""

_NOTICE = struct.Struct(f"<{KEY}sq{ID}s12sH")
_PLACED = struct.Struct(f"<{ID}s{ID}sQ")
_STORY = struct.Struct(f"<{ID}sQqI12sI")
_TOLD = struct.Struct(f"<{KEY}s{ID}sd")
_HOUR = 3_600_000_000


class Notice(NamedTuple):
    """What a shard is told of an article."""

    key: bytes
    time: int
    """When it was published, else seen; microseconds since 1970."""
    copies: bytes
    """Id of the article it is a copy of; zeros if of none."""
    language: str
    terms: Terms

    def packed(self) -> bytes:
        head = _NOTICE.pack(self.key, self.time, self.copies, self.language.encode()[:12], self.terms.hashes.size)
        return head + self.terms.packed()


def unpack_notice(packed: bytes) -> Notice:
    """The notice that `packed` made."""
    key, time, copies, language, _ = _NOTICE.unpack_from(packed)
    return Notice(key, time, copies, _text(language), unpack_terms(packed[_NOTICE.size :]))


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode("utf-8", "ignore")


def told(key: bytes, story: bytes, score: float) -> bytes:
    """Which story an article belongs to."""
    return b"S" + _TOLD.pack(key, story, score)


def unpack_told(packed: bytes) -> tuple[bytes, bytes, float]:
    """Key, story, score."""
    return _TOLD.unpack_from(packed, 1)


def packed_story(story: Story) -> bytes:
    """A story, for the log."""
    head = _STORY.pack(
        *(story.id, story.seen, story.time, story.articles, story.language.encode()[:12], story.terms.hashes.size)
    )
    return b"S" + head + story.terms.packed()


def unpack_story(packed: bytes) -> Story:
    """The story that `packed_story` wrote."""
    identity, seen, time, articles, language, _ = _STORY.unpack_from(packed, 1)
    terms = unpack_terms(packed[1 + _STORY.size :])
    order = np.argsort(terms.hashes)  # earlier versions wrote them in another order
    return Story(identity, _text(language), seen, time, articles, Terms(terms.hashes[order], terms.weights[order]))


def in_language(article: bytes, language: str) -> bytes:
    """What an article is known as among those of a language. Copies are looked for there alone: which languages share a
    shard must change nothing."""
    return hashlib.blake2b(article + language.encode(), digest_size=ID).digest()


class StoryMemory:
    """Remembers the stories of its languages, and for a while in which story an article is."""

    def __init__(self, config: StoriesConfig) -> None:
        self._config = config
        self._gate = round(config.gate_hours * 3_600_000_000)
        self._languages: dict[str, StoryIndex] = {}
        self._story_of: dict[bytes, tuple[bytes, int]] = {}
        self._newest = 0
        self._forgot = 0

    def replay(self, entry: bytes) -> None:
        for packed in unpack(entry):
            if packed[:1] == b"A":
                self._place(*_PLACED.unpack_from(packed, 1))
            else:
                story = unpack_story(packed)
                self._index(story.language).put(story)

    def _index(self, language: str) -> StoryIndex:
        return self._languages.setdefault(language, StoryIndex(self._gate))

    def _place(self, article: bytes, story: bytes, seen: int) -> bytes:
        self._story_of[article] = (story, seen)
        self._newest = max(self._newest, seen)
        return b"A" + _PLACED.pack(article, story, seen)

    def work(self, messages: Sequence[bytes]) -> Work:
        sent: list[Sent] = []
        changed: dict[bytes, Story] = {}
        placed: dict[bytes, bytes] = {}
        for packed in sorted(messages):  # a notice begins with its key
            notice = unpack_notice(packed)
            article, seen = id_of(notice.key), micros_of(notice.key)
            story, score = self._assign(notice, article, seen, changed)
            known_as = in_language(article, notice.language)
            placed[known_as] = self._place(known_as, story, seen)
            sent.append(Sent("articles", id_shard(article, self._config.shards), told(notice.key, story, score)))
        learnt = [*placed.values(), *map(packed_story, changed.values())]
        self._forget()
        return Work(sent=sent, learnt=pack(learnt) if learnt else b"")

    def _assign(self, notice: Notice, article: bytes, seen: int, changed: dict[bytes, Story]) -> tuple[bytes, float]:
        index = self._index(notice.language)
        for known in (notice.copies, article):
            position = self._story_of.get(in_language(known, notice.language))
            if position is not None and seen - position[1] <= 2 * self._gate:
                # A copy or a revision: it belongs where the other is, and tells the story nothing new.
                return position[0], self._score(notice.terms, position[0], seen, index)
        story, score = self._nearest(notice, index, seen)
        if story is None:
            changed[article] = index.begin(article, notice.language, seen, notice.time, notice.terms)
            return article, 1.0
        changed[story.id] = index.join(story, seen, notice.time, notice.terms)
        return story.id, score

    def _score(self, terms: Terms, identity: bytes, seen: int, index: StoryIndex) -> float:
        """Cosine of an article with the story it belongs to; 1 where that is over, as it may be forgotten."""
        story = index.get(identity)
        if story is not None and seen - story.seen <= self._gate:
            return index.cosine(terms, story)
        return 1.0

    def _nearest(self, notice: Notice, index: StoryIndex, seen: int) -> tuple[Optional[Story], float]:
        """The story most like the article, of those that are not over; None if none is like enough."""
        threshold = self._config.similar if table_of(notice.language) else self._config.similar_unweighed
        found = index.search(notice.terms, seen, notice.time, COMPARED)
        like = [(-score, story.id) for story, score in found if score > threshold]
        if not like:
            return None, 0.0
        score, identity = min(like)
        return index.get(identity), -score

    def _forget(self) -> None:
        """Frees what can no longer count; hourly, as it looks at everything."""
        if self._newest - self._forgot < _HOUR:
            return
        self._forgot = self._newest
        oldest = self._newest - self._gate
        for language, index in list(self._languages.items()):
            kept = [story for story in index.stories if story.seen >= oldest]
            if not kept:
                del self._languages[language]
            elif len(kept) < len(index.stories):
                index.keep(kept)
        # Copies may come as late as copies are looked for, and find the story of the first.
        self._story_of = {
            article: position for article, position in self._story_of.items() if position[1] >= oldest - self._gate
        }

    def live_bytes(self) -> int:
        stories = sum(
            _STORY.size + 5 + 12 * story.terms.hashes.size
            for index in self._languages.values()
            for story in index.stories
        )
        return stories + len(self._story_of) * (_PLACED.size + 5)

    def compacted(self) -> Iterable[bytes]:
        placed = [b"A" + _PLACED.pack(article, *position) for article, position in sorted(self._story_of.items())]
        stories = (story for _, index in sorted(self._languages.items()) for story in index.stories)
        yield pack([*placed, *map(packed_story, stories)])


@dataclass(frozen=True)
class StoryShards:
    """Makes the memory of each shard."""

    config: StoriesConfig

    def __call__(self, shard: int) -> StoryMemory:
        return StoryMemory(self.config)
