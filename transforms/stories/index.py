"""The current stories of a language: a vector of each, and an index from words to the stories that have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import numpy as np

from newsbeam.transforms.model.identity import FIRST_TIME
from newsbeam.transforms.stories.terms import Hashes, Terms, Weights, length

SEARCHED = 24
"""Words of an article by which stories are looked for."""
STORY_TERMS = 200
"""Words of a story that are kept."""
UNKNOWN = round(FIRST_TIME * 1_000_000)

_POSTING = np.dtype([("row", "<u4"), ("weight", "<f8")])
_LEAST = 1e-9
"""What is less has come of rounding."""


@dataclass(frozen=True)
class Story:
    """The sum of the vectors of its articles."""

    id: bytes
    language: str
    seen: int
    """When its latest article was seen; microseconds since 1970."""
    time: int
    """When its latest article was published."""
    articles: int
    terms: Terms
    """By hash, ascending."""


class StoryIndex:
    """Stories in rows, and for each word a packed list of who has how much of it. The lists only ever grow: what a
    story has more of (or less, where it keeps too many words) is one more entry. They are made anew when stories go.

    Args:
        gate: longest silence within a story, in microseconds.
    """

    def __init__(self, gate: int) -> None:
        self._gate = gate
        self.stories: list[Story] = []
        """In the order in which they began, or were learnt again."""
        self._row_of: dict[bytes, int] = {}
        self._lengths = np.ones(64)
        self._seen = np.zeros(64, np.int64)
        self._times = np.zeros(64, np.int64)
        self._postings: Optional[dict[int, bytearray]] = {}
        """None until they are asked for again."""

    def get(self, identity: bytes) -> Optional[Story]:
        """A story by its id."""
        row = self._row_of.get(identity)
        return None if row is None else self.stories[row]

    def cosine(self, terms: Terms, story: Story) -> float:
        """Of an article with a story; rounded."""
        return cosines(terms, [story.terms], self._lengths[[self._row_of[story.id]]])[0]

    def put(self, story: Story) -> None:
        """Adds a story, or one as it is now."""
        self._put(story)
        self._postings = None

    def _put(self, story: Story) -> int:
        row = self._row_of.setdefault(story.id, len(self.stories))
        if row < len(self.stories):
            self.stories[row] = story
        else:
            self.stories.append(story)
            if row == self._lengths.size:
                self._lengths = np.concatenate([self._lengths, self._lengths])
                self._seen = np.concatenate([self._seen, self._seen])
                self._times = np.concatenate([self._times, self._times])
        self._lengths[row] = length(story.terms.weights)
        self._seen[row], self._times[row] = story.seen, story.time
        return row

    def begin(self, identity: bytes, language: str, seen: int, time: int, terms: Terms) -> Story:
        """A new story of one article."""
        order = np.argsort(terms.hashes)
        story = Story(identity, language, seen, time, 1, Terms(terms.hashes[order], terms.weights[order]))
        self._post(self._put(story), *terms)
        return story

    def join(self, story: Story, seen: int, time: int, terms: Terms) -> Story:
        """The story with one more article."""
        hashes, weights, gone = _sum(story.terms, terms)
        story = Story(
            id=story.id,
            language=story.language,
            seen=max(seen, story.seen),
            time=max(time, story.time),
            articles=story.articles + 1,
            terms=Terms(hashes, weights),
        )
        row = self._put(story)
        self._post(row, *terms)
        if gone.hashes.size:
            self._post(row, gone.hashes, -gone.weights)
        return story

    def _post(self, row: int, hashes: Hashes, weights: Weights) -> None:
        entries = np.empty(hashes.size, _POSTING)
        entries["row"], entries["weight"] = row, weights
        packed, size, postings = entries.tobytes(), _POSTING.itemsize, self._searchable()
        for i, word in enumerate(hashes.tolist()):
            entry = packed[i * size : i * size + size]
            if word in postings:
                postings[word] += entry
            else:
                postings[word] = bytearray(entry)

    def _searchable(self) -> dict[int, bytearray]:
        if self._postings is None:
            self._postings = _postings_of([story.terms for story in self.stories])
        return self._postings

    def search(self, terms: Terms, seen: int, time: int, most: int) -> list[tuple[Story, float]]:
        """The stories that are most like an article by its heaviest words, and are not over: each with its cosine,
        rounded."""
        postings = self._searchable()
        lists = [postings.get(word, b"") for word in terms.hashes[:SEARCHED].tolist()]
        entries = np.frombuffer(b"".join(lists), _POSTING)
        if not entries.size:
            return []
        own = np.repeat(terms.weights[:SEARCHED], [len(packed) // _POSTING.itemsize for packed in lists])
        products = np.bincount(entries["row"], own * entries["weight"])
        rows = np.flatnonzero(products > _LEAST)
        rows = rows[np.abs(self._seen[rows] - seen) <= self._gate]
        if time != UNKNOWN:
            # That the time of publication is not known says nothing against one event.
            times = self._times[rows]
            rows = rows[(np.abs(times - time) <= self._gate) | (times == UNKNOWN)]
        # Rounded, as a story that has been learnt again has its words in another order.
        likely = np.round(products[rows] / self._lengths[rows], 9)
        if rows.size > most:
            enough = likely >= np.partition(likely, -most)[-most]
            rows, likely = rows[enough], likely[enough]
        ids = [self.stories[row].id for row in rows.tolist()]
        found = sorted(zip((-likely).tolist(), ids, rows.tolist(), strict=True))[:most]
        nearest = [self.stories[row] for _, _, row in found]
        lengths = self._lengths[[row for _, _, row in found]]
        return list(zip(nearest, cosines(terms, [story.terms for story in nearest], lengths), strict=True))

    def keep(self, stories: Sequence[Story]) -> None:
        """Forgets all others."""
        self.stories, self._row_of = [], {}
        for story in stories:
            self.put(story)


def _sum(sums: Terms, terms: Terms) -> tuple[Hashes, Weights, Terms]:
    """A story's vector and that of one more article; and what of it is left out."""
    hashes = np.concatenate([sums.hashes, terms.hashes])
    weights = np.concatenate([sums.weights, terms.weights])
    order = np.argsort(hashes, kind="stable")
    hashes, weights = hashes[order], weights[order]
    again = np.flatnonzero(hashes[1:] == hashes[:-1])
    weights[again] += weights[again + 1]
    once = np.ones(hashes.size, np.bool_)
    once[again + 1] = False
    hashes, weights = hashes[once], weights[once]
    if hashes.size <= STORY_TERMS:
        return hashes, weights, Terms(hashes[:0], weights[:0])
    heaviest = np.zeros(hashes.size, np.bool_)
    heaviest[np.argsort(-weights, kind="stable")[:STORY_TERMS]] = True  # of equal ones, those of smaller hashes
    return hashes[heaviest], weights[heaviest], Terms(hashes[~heaviest], weights[~heaviest])


def cosines(terms: Terms, stories: Sequence[Terms], lengths: Weights) -> list[float]:
    """Of an article with each of some stories, whose vectors have these lengths; rounded."""
    if not stories or not terms.hashes.size:
        return [0.0] * len(stories)
    order = np.argsort(terms.hashes)
    hashes, weights = terms.hashes[order], terms.weights[order]
    theirs = np.concatenate([story.hashes for story in stories])
    at = np.minimum(hashes.searchsorted(theirs), hashes.size - 1)
    shared = np.flatnonzero(hashes[at] == theirs)
    of_story = np.repeat(np.arange(len(stories)), [story.hashes.size for story in stories])[shared]
    products = weights[at[shared]] * np.concatenate([story.weights for story in stories])[shared]
    # `bincount` adds up in order, the same on every processor.
    sums = np.bincount(of_story, products, minlength=len(stories)) / lengths
    return [round(min(cosine, 1.0), 4) for cosine in sums.tolist()]


def _postings_of(vectors: Sequence[Terms]) -> dict[int, bytearray]:
    """For each word the rows that have it, with its weight in each."""
    if not vectors:
        return {}
    hashes = np.concatenate([vector.hashes for vector in vectors])
    entries = np.empty(hashes.size, _POSTING)
    entries["row"] = np.repeat(np.arange(len(vectors)), [vector.hashes.size for vector in vectors])
    entries["weight"] = np.concatenate([vector.weights for vector in vectors])
    order = np.argsort(hashes, kind="stable")
    packed, size = entries[order].tobytes(), _POSTING.itemsize
    words, first = np.unique(hashes[order], return_index=True)
    starts = [*(first * size).tolist(), len(packed)]
    return {
        word: bytearray(packed[start:end])
        for word, start, end in zip(words.tolist(), starts[:-1], starts[1:], strict=True)
    }
