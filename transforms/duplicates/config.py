"""How copies are found and what is done about them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DuplicatesConfig:
    """Settings of `MarkDuplicates`. The thresholds are measured, not matters of taste: see the evaluation."""

    policy: Literal["drop", "label"] = "drop"
    """`drop`: sinks get the first of each group, and who copied it. `label`: sinks get all, marked."""
    survivor: Literal["first", "original", "fullest"] = "first"
    """`first`: who came first stands for the group. `original`: a later text that a copy before it names as its source
    takes its place: a wire agency's own page, an outlet of which a copy says that it published it first, the host that
    a copy's page declares as the canonical one. `fullest`: a later text that has all of the first and a good part more
    does. It takes the place as a revision of the first, under its id: there is never a second record. One shard keeps
    account of that, so that on a cluster `first` alone grows with the number of workers."""
    shards: int = 4
    """Of each stage: 1-8 on one machine, 64-1024 on a cluster; fixed for the life of a job."""
    horizon_hours: float = 72.0
    """How far back copies are looked for."""
    revisions_days: float = 30.0
    """How long an article is remembered, to tell its revisions."""
    grain_seconds: float = 1.0
    """How much event time is worked through together; long for a replay on a cluster."""
    similar: float = 0.5
    """Jaccard similarity from which two texts are copies, if one has nearly all of the other (`whole`) or each quarter
    of both has something (`spread`) in common: a long footer is not the text."""
    whole: float = 0.85
    spread: float = 0.15
    similar_throughout: float = 0.3
    """Jaccard similarity from which they are copies if so much (`spread_throughout`) of each quarter of both is in
    common: badly scanned or lightly reworded, but the same from beginning to end."""
    spread_throughout: float = 0.38
    short_words: int = 80
    """Texts of fewer words are alike by chance or by template, and have to be more so ..."""
    similar_short: float = 0.65
    """... in Jaccard similarity, or ..."""
    contained_short: float = 0.85
    """... as an excerpt."""
    contained: float = 0.75
    """Part of a text that an earlier one has, from which it is an excerpt of it, if that is so of more than ..."""
    contained_spread: float = 0.1
    """... this part of each quarter ..."""
    contained_hashes: int = 12
    """... and so many hashes are there to tell."""
    numbers: int = 4
    """From this many numbers in both texts on ..."""
    numbers_shared: float = 0.6
    """... copies share this part of the smaller set: weather, markets and results are templates with new numbers."""
    candidates: int = 16
    """Newest earlier articles that an anchor answers with."""
    compared: int = 48
    """Most articles that one is compared with."""

    def __post_init__(self) -> None:
        if self.policy not in ("drop", "label"):
            raise ValueError(f"policy: {self.policy!r} is not known; use `drop` or `label`")
        if self.survivor not in ("first", "original", "fullest"):
            raise ValueError(f"survivor: {self.survivor!r} is not known; use `first`, `original` or `fullest`")
        if not 1 <= self.shards <= 4096:
            raise ValueError(
                f"shards: {self.shards} is out of range; use 1 to 8 on one machine, up to 4096 on a cluster"
            )
