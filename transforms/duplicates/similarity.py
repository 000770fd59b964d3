"""Are two texts copies? Decided from their prints alone."""

from typing import NamedTuple, Optional

import numpy as np

from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import U32
from transforms.duplicates.prints import Print

EXACT, NEAR, EXCERPT = 0, 1, 2
KINDS = ("exact", "near", "excerpt")

FEWEST_WORDS = 20
"""Shorter texts are copies only if they and their titles are equal: "Subscribe to read on" says nothing."""


class Likeness(NamedTuple):
    """How a text is like an earlier one."""

    jaccard: float
    contained: float
    """The part of the later text that the earlier one has."""
    holds: float
    """The part of the earlier text that the later one has."""
    hashes: int
    """Of the later text, that could be compared."""
    numbers_shared: float
    """Of the smaller set of numbers; 1 where one of the two has too few to tell."""


def shared(a: U32, b: U32) -> int:
    """How many hashes two ascending arrays share."""
    if a.size > b.size:
        a, b = b, a
    if not a.size:
        return 0
    at = np.searchsorted(b, a)
    at[at == b.size] = 0
    return int(np.count_nonzero(b[at] == a))


def likeness(later: Print, earlier: Print, config: DuplicatesConfig) -> Likeness:
    """Compares two prints."""
    a, b = later.sketch, earlier.sketch
    if later.bits > earlier.bits:
        a = a[: np.searchsorted(a, np.uint32(1 << earlier.bits))]
    elif earlier.bits > later.bits:
        b = b[: np.searchsorted(b, np.uint32(1 << later.bits))]
    both = shared(a, b)
    either = a.size + b.size - both
    numbers = 1.0
    fewer = min(later.numbers.size, earlier.numbers.size)
    if fewer >= config.numbers:
        numbers = shared(later.numbers, earlier.numbers) / fewer
    return Likeness(
        jaccard=both / either if either else 0.0,
        contained=both / a.size if a.size else 0.0,
        holds=both / b.size if b.size else 0.0,
        hashes=int(a.size),
        numbers_shared=numbers,
    )


class Verdict(NamedTuple):
    """That a text is a copy. Of several, the smallest counts."""

    kind: int
    loss: float
    """1 - score, rounded."""
    of: bytes
    """The key of the earlier article."""
    revision: int
    """Of the earlier article, when it was compared."""
    holds: float
    """The part of the earlier text that the later one has."""
    words: int
    """Of the earlier text."""


def verdict(later: Print, earlier: Print, config: DuplicatesConfig) -> Optional[Verdict]:
    """What `later` is to `earlier`; None if it is not a copy of it, or did not come after it."""
    if earlier.key >= later.bound:
        return None
    if later.exact == earlier.exact:
        return Verdict(EXACT, 0.0, earlier.key, earlier.revision, 1.0, earlier.words)
    if min(later.words, earlier.words) < FEWEST_WORDS:
        return None
    like = likeness(later, earlier, config)
    if like.numbers_shared < config.numbers_shared:
        return None
    if like.jaccard >= config.similar:
        kind, score = NEAR, like.jaccard
    elif like.contained >= config.contained and like.hashes >= config.contained_hashes:
        kind, score = EXCERPT, like.contained
    else:
        return None
    return Verdict(kind, round(1 - score, 4), earlier.key, earlier.revision, round(like.holds, 4), earlier.words)
