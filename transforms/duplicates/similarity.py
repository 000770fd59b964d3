"""Are two texts copies? Decided from their prints alone."""

from collections.abc import Iterable
from typing import NamedTuple, Optional

import numpy as np

from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.features import PLACE_BITS, U32, below
from newsbeam.transforms.duplicates.index import I64
from newsbeam.transforms.duplicates.prints import Print

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


def shared(a: U32, b: U32) -> tuple[I64, I64]:
    """Where in `a` the values are that ascending `b` has too, and where those are in `b`."""
    if not a.size or not b.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = b.searchsorted(a)
    at[at == b.size] = 0
    own = (b[at] == a).nonzero()[0]
    return own, at[own]


def spread(sketch: U32, own: I64) -> float:
    """The smallest share of hashes that are at `own`, of the quarters of a text."""
    quarters = sketch & np.uint32(3)
    every, some = np.bincount(quarters, minlength=4).tolist(), np.bincount(quarters[own], minlength=4).tolist()
    return float(min(some[i] / max(every[i], 1) for i in range(4)))


def likeness(later: Print, earlier: Print, config: DuplicatesConfig) -> Likeness:
    """Compares two prints."""
    a, own, b, there = _overlap(later, earlier)
    either = a.size + b.size - own.size
    return Likeness(
        jaccard=own.size / either if either else 0.0,
        contained=own.size / a.size if a.size else 0.0,
        holds=own.size / b.size if b.size else 0.0,
        hashes=int(a.size),
        numbers_shared=_numbers_shared(later, earlier, config),
        spread=spread(a, own),
        spread_back=spread(b, there),
    )


def _overlap(later: Print, earlier: Print) -> tuple[U32, I64, U32, I64]:
    """The comparable parts of both sketches, and where in each is what they share."""
    bits = min(later.bits, earlier.bits)
    a, b = below(later.sketch, bits), below(earlier.sketch, bits)
    own, there = shared(a >> np.uint32(PLACE_BITS), b >> np.uint32(PLACE_BITS))
    return a, own, b, there


def _numbers_shared(later: Print, earlier: Print, config: DuplicatesConfig) -> float:
    fewer = min(later.numbers.size, earlier.numbers.size)
    return shared(later.numbers, earlier.numbers)[0].size / fewer if fewer >= config.numbers else 1.0


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
    credited: bool = False
    """Whether the earlier text names the outlet of the later as its source."""


def _hopeless(later: Print, earlier: Print, config: DuplicatesConfig) -> bool:
    """Whether no copy can come of it, told at little cost: most candidates share some passage and no more."""
    a, own, b, _ = _overlap(later, earlier)
    either = a.size + b.size - own.size
    return own.size < config.similar_throughout * either and own.size < config.contained * a.size


def verdict(later: Print, earlier: Print, config: DuplicatesConfig) -> Optional[Verdict]:
    """What `later` is to `earlier`; None if it is not a copy of it, or did not come after it."""
    if earlier.key >= later.bound:
        return None
    if later.exact == earlier.exact:
        return Verdict(EXACT, 0.0, earlier.key, earlier.revision, 1.0, earlier.words, _credits(earlier, later))
    if min(later.words, earlier.words) < FEWEST_WORDS:
        return None
    if _hopeless(later, earlier, config):
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
    holds = round(like.holds, 4)
    return Verdict(
        kind=kind,
        loss=round(1 - score, 4),
        of=earlier.key,
        revision=earlier.revision,
        holds=holds,
        words=earlier.words,
        credited=_credits(earlier, later),
    )


def _credits(one: Print, other: Print) -> bool:
    return bool(one.credits.size and np.isin(one.credits, other.names).any())


def with_credit(best: Optional[Verdict], verdicts: Iterable[Optional[Verdict]]) -> Optional[Verdict]:
    """The verdict that counts, with what others have found: that some copy names the later text as its source."""
    if best is None or best.credited:
        return best
    return best._replace(credited=any(found.credited and found.kind != EXCERPT for found in verdicts if found))
