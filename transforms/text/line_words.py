"""The words of many lines at once, as numbers: which line has which, and how much of a vocabulary each line shares."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.characters import LETTER, SOLO, Characters, Ints, class_bits, letters_only
from newsbeam.transforms.text.spaceless import SPACELESS

_LETTERS = re.compile(r"[^\W\d_]+")
_SOLO = re.compile(f"[{SPACELESS}]")
_REMEMBERED = 1000
_LONG = 4
_FEW = 2000


def words_of(text: str) -> tuple[str, ...]:
    """Words as comparisons see them: lower case, letters only; one per character where a script has no spaces."""
    return _words_of(text) if len(text) <= _REMEMBERED else _split(text)


# Lines are asked for again and again while a page is judged; long ones are not kept, so that the cache stays small.
@lru_cache(maxsize=2048)
def _words_of(text: str) -> tuple[str, ...]:
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    # A regular expression takes as long for 500 characters as the table for all of a story.
    if len(text) >= 500:
        text = text.lower()
        return tuple(letters_only(text, class_bits(text)).split())
    if not text.isascii() and _SOLO.search(text):
        text = _SOLO.sub(lambda found: f" {found.group()} ", text)
    return tuple(_LETTERS.findall(text.lower()))


def fours(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Every four neighbouring words, in order."""
    return list(zip(words, words[1:], words[2:], words[3:], strict=False))


@dataclass(frozen=True)
class LineWords:
    """The words of a page's lines, as `words_of` splits them, with a number for each different one."""

    numbers: Mapping[str, int]
    sequence: Ints
    """The number of every word, in order."""
    sequence_lines: Ints
    members: Ints
    """The number of every different word of a line; `member_lines` has the line."""
    member_lines: Ints
    sizes: Ints
    """How many different words each line has."""

    def flags(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """For each different word of the page whether it is one of these."""
        out = np.zeros(len(self.numbers), dtype=bool)
        out[[number for word in words if (number := self.numbers.get(word, -1)) >= 0]] = True
        return out

    def shared(self, flags: NDArray[np.bool_]) -> Ints:
        """How many of its different words each line has among the flagged ones."""
        return np.bincount(self.member_lines[flags[self.members]], minlength=len(self.sizes))

    def _longer(self, than: int) -> NDArray[np.bool_]:
        return np.fromiter(map(len, self.numbers), dtype=np.int64, count=len(self.numbers)) > than

    def of_longer(self, than: int) -> tuple[Ints, Ints]:
        """`members` and `member_lines` of the words of more letters than so many."""
        chosen = self._longer(than)[self.members]
        return self.members[chosen], self.member_lines[chosen]

    def lead_overlap(self, lead: Sequence[int], title: str) -> NDArray[np.float32]:
        """The share of each line's longer words that the story's opening has: the title and the lines at `lead`.

        A second story on the page has little in common with the opening of the first.
        """
        opening = self.flags(words_of(title))
        leads = np.zeros(len(self.sizes), dtype=bool)
        leads[lead] = True
        opening[self.members[leads[self.member_lines]]] = True
        long = self._longer(_LONG)
        share: NDArray[np.float32] = (self.shared(opening & long) / np.maximum(1, self.shared(long))).astype(np.float32)
        return share

    def pairs_in(self, text: str) -> NDArray[np.float32]:
        """The share of each line's pairs of neighbouring words that are neighbours in the text, too."""
        numbers, different = self.numbers, len(self.numbers)
        others = np.array([numbers.get(word, -1) for word in words_of(text)], dtype=np.int64)
        known = (others[1:] >= 0) & (others[:-1] >= 0)
        theirs = (others[:-1] * different + others[1:])[known]
        within = self.sequence_lines[1:] == self.sequence_lines[:-1]
        lines = self.sequence_lines[1:][within]
        own = (self.sequence[:-1] * different + self.sequence[1:])[within]
        # One byte for each pair there could be, unless they are too many.
        kind: Literal["table", "sort"] = "table" if different < _FEW else "sort"
        found = np.bincount(lines[np.isin(own, theirs, kind=kind)], minlength=len(self.sizes))
        total = np.bincount(lines, minlength=len(self.sizes))
        share: NDArray[np.float32] = (found / np.maximum(1, total)).astype(np.float32)
        return share


def line_words(characters: Characters, starts: Ints) -> LineWords:
    """The words of the lines, given where runs of letters start."""
    solo = (characters.bits & SOLO) != 0
    if solo.any():
        letter = (characters.bits & LETTER) != 0
        joins = letter & ~solo
        starts = np.flatnonzero(letter & (solo | ~np.concatenate(([False], joins[:-1]))))
    words = letters_only(characters.text, characters.bits).lower().split()
    lines = characters.lines[starts]
    numbering: defaultdict[str, int] = defaultdict(count().__next__)
    sequence = np.fromiter(map(numbering.__getitem__, words), dtype=np.int64, count=len(words))
    numbers = dict(numbering)
    # `np.unique` takes thirteen times as long for so few.
    members = np.sort(lines * len(numbers) + sequence)
    members = members[np.concatenate((np.ones(min(1, len(members)), dtype=bool), members[1:] != members[:-1]))]
    member_lines = members // max(1, len(numbers))
    return LineWords(
        numbers,
        sequence,
        lines,
        members - member_lines * len(numbers),
        member_lines,
        np.bincount(member_lines, minlength=len(characters.starts)),
    )
