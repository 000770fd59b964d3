"""Are two texts copies? Decided from their prints alone."""

from typing import NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import PLACE_BITS, U32, below
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
    spread: float
    """Of the later text's quarters, the part shared of that of which least is: copies share some of all."""
    spread_back: float
    """The same of the earlier text."""


def shared(a: U32, b: U32) -> npt.NDArray[np.int64]:
    """Where in `a` the values are that ascending `b` has too, and where those are in `b`: two rows."""
    if not a.size or not b.size:
        return np.zeros((2, 0), np.int64)
    at = np.searchsorted(b, a)
    at[at == b.size] = 0
    own = np.flatnonzero(b[at] == a)
    return np.stack((own, at[own]))


def spread(sketch: U32, own: npt.NDArray[np.int64]) -> float:
    """The smallest share of hashes that are at `own`, of the quarters of a text."""
    quarters = sketch & np.uint32(3)
    every, some = np.bincount(quarters, minlength=4), np.bincount(quarters[own], minlength=4)
    return float(np.min(some / np.maximum(every, 1)))


def likeness(later: Print, earlier: Print, config: DuplicatesConfig) -> Likeness:
    """Compares two prints."""
    bits = min(later.bits, earlier.bits)
    a, b = below(later.sketch, bits), below(earlier.sketch, bits)
    own, there = shared(a >> np.uint32(PLACE_BITS), b >> np.uint32(PLACE_BITS))
    both = own.size
    either = a.size + b.size - both
    numbers = 1.0
    fewer = min(later.numbers.size, earlier.numbers.size)
    if fewer >= config.numbers:
        numbers = shared(later.numbers, earlier.numbers).shape[1] / fewer
    return Likeness(
        jaccard=both / either if either else 0.0,
        contained=both / a.size if a.size else 0.0,
        holds=both / b.size if b.size else 0.0,
        hashes=int(a.size),
        numbers_shared=numbers,
        spread=spread(a, own),
        spread_back=spread(b, there),
    )


def is_near(like: Likeness, short: bool, config: DuplicatesConfig) -> bool:
    """Whether two texts are the same but for details."""
    if short and like.jaccard < config.similar_short:
        return False
    spread = min(like.spread, like.spread_back)
    if like.jaccard >= config.similar:
        return max(like.contained, like.holds) >= config.whole or spread >= config.spread
    return like.jaccard >= config.similar_throughout and spread >= config.spread_throughout


def is_excerpt(like: Likeness, short: bool, config: DuplicatesConfig) -> bool:
    """Whether the later text is a part of the earlier one. Only in this direction: else a roundup that quotes many
    would make copies of them all."""
    return (
        like.contained >= (config.contained_short if short else config.contained)
        and like.spread >= config.contained_spread
        and like.hashes >= config.contained_hashes
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
    short = min(later.words, earlier.words) < config.short_words
    if is_near(like, short, config):
        kind, score = NEAR, like.jaccard
    elif is_excerpt(like, short, config):
        kind, score = EXCERPT, like.contained
    else:
        return None
    return Verdict(kind, round(1 - score, 4), earlier.key, earlier.revision, round(like.holds, 4), earlier.words)
