"""Why two articles were or were not called copies of each other, for a person."""

import difflib
import re
from typing import NamedTuple, Optional

import numpy as np

from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.features import cut as cut_sketch
from newsbeam.transforms.duplicates.features import features
from newsbeam.transforms.duplicates.prints import Print
from newsbeam.transforms.duplicates.similarity import (
    FEWEST_WORDS,
    KINDS,
    Likeness,
    is_excerpt,
    is_near,
    likeness,
    verdict,
)
from newsbeam.transforms.model.identity import FIRST_TIME, event_time
from newsbeam.transforms.model.order import article_key
from newsbeam.transforms.model.records import Article

PASSAGE_WORDS = 8
"""Shorter passages that two texts share say nothing."""
MOST_WORDS = 4000
"""Words of each text that passages are looked for in."""


class Explanation(NamedTuple):
    """What speaks for and against the later of two articles being a copy of the earlier."""

    earlier: Article
    later: Article
    verdict: str
    """`exact`, `near`, `excerpt`, `unchanged`, `revision` or `unrelated`."""
    reasons: list[str]
    """Each a sentence: which threshold was met or missed, with the figures."""
    likeness: Likeness
    shared: list[str]
    """Passages of at least `PASSAGE_WORDS` words that both have, longest first."""
    missing: list[str]
    """Passages of the earlier text that the later has not."""
    numbers: tuple[list[str], list[str]]
    """Numbers that only the earlier, and that only the later has."""
    diff: str
    """Unified diff of title and text; empty unless both are one article."""


_WORD = re.compile(r"\w+(?:['’.,:]\w+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def explain_pair(a: Article, b: Article, config: Optional[DuplicatesConfig] = None) -> Explanation:
    """Compares two articles (that `identify` has seen) as `MarkDuplicates` does, without their outlets' boilerplate
    being known: a text that is mostly boilerplate may have fared better in the stream."""
    config = config or DuplicatesConfig()
    earlier, later = sorted((a, b), key=article_key)
    old, new = _print_of(earlier), _print_of(later)
    like = likeness(new, old, config)
    kind, reasons = _judge(earlier, later, old, new, like, config)
    shared, missing = passages(earlier.text, later.text)
    old_numbers, new_numbers = (dict.fromkeys(_NUMBER.findall(one.text)) for one in (earlier, later))
    return Explanation(
        earlier=earlier,
        later=later,
        verdict=kind,
        reasons=reasons,
        likeness=like,
        shared=shared,
        missing=missing,
        numbers=([n for n in old_numbers if n not in new_numbers], [n for n in new_numbers if n not in old_numbers]),
        diff=revision_diff(earlier, later) if earlier.id == later.id else "",
    )


def _print_of(article: Article) -> Print:
    seen = features(article.text)
    key = article_key(article)
    exact = seen.exact if seen.words >= FEWEST_WORDS else features(f"{article.title}\n{article.text}").exact
    sketch, bits = cut_sketch(seen.sketch)
    time, nobody = round(event_time(article) * 1_000_000), np.zeros(0, np.uint32)
    return Print(
        key=key,
        bound=key,
        time=time,
        exact=exact,
        words=seen.words,
        revision=1,
        bits=bits,
        sketch=sketch,
        numbers=seen.numbers,
        names=nobody,
        credits=nobody,
    )


def _judge(
    earlier: Article, later: Article, old: Print, new: Print, like: Likeness, config: DuplicatesConfig
) -> tuple[str, list[str]]:
    reasons = []
    if earlier.id == later.id:
        same = earlier.content_hash == later.content_hash
        return ("unchanged", ["one address, one content"]) if same else ("revision", ["one address, another content"])
    hours = abs(new.time - old.time) / 3_600_000_000
    if hours > config.horizon_hours:
        reasons.append(
            "only one of them has a date, so that nobody knows whether they are near in time"
            if FIRST_TIME in (event_time(earlier), event_time(later))
            else f"they are {hours:.0f} hours apart; copies are looked for over {config.horizon_hours:g} hours"
        )
    found = verdict(new, old, config)
    if new.exact == old.exact:
        reasons.append("their words are the same")
    elif min(new.words, old.words) < FEWEST_WORDS:
        reasons.append(f"with less than {FEWEST_WORDS} words, only equal texts under equal titles are copies")
    else:
        short = min(new.words, old.words) < config.short_words
        if like.numbers_shared < config.numbers_shared:
            reasons.append(
                f"they share {like.numbers_shared:.0%} of their numbers; copies, {config.numbers_shared:.0%} or more"
            )
        needed = config.similar_short if short else config.similar
        word = "is" if is_near(like, short, config) else "is not"
        reasons.append(
            f"one {word} a near copy: similarity {like.jaccard:.2f} ({needed:.2f} needed, or"
            f" {config.similar_throughout:.2f} if spread over the whole text), least shared of a quarter"
            f" {min(like.spread, like.spread_back):.2f}"
        )
        word = "is" if is_excerpt(like, short, config) else "is not"
        needed = config.contained_short if short else config.contained
        reasons.append(
            f"the later {word} an excerpt: {like.contained:.0%} of it is in the earlier ({needed:.0%} needed)"
        )
    near_in_time = hours <= config.horizon_hours
    return (KINDS[found.kind] if found and near_in_time else "unrelated"), reasons


def passages(earlier: str, later: str) -> tuple[list[str], list[str]]:
    """Passages that both texts have (longest first), and those of the earlier that the later has not."""
    old, new = (list(_WORD.finditer(text))[:MOST_WORDS] for text in (earlier, later))
    matcher = difflib.SequenceMatcher(
        None, [match[0].lower() for match in old], [match[0].lower() for match in new], autojunk=False
    )
    shared: list[str] = []
    missing: list[str] = []
    done = 0
    for start, _, length in matcher.get_matching_blocks():
        if 0 < length < PASSAGE_WORDS:
            continue
        if start - done >= PASSAGE_WORDS:
            missing.append(earlier[old[done].start() : old[start - 1].end()])
        if length:
            shared.append(earlier[old[start].start() : old[start + length - 1].end()])
        done = start + length
    return sorted(shared, key=lambda passage: (-len(passage), passage)), missing


def revision_diff(earlier: Article, later: Article) -> str:
    """Unified diff from one revision of an article to another: title, times, and the text line by line."""

    def lines(article: Article) -> list[str]:
        head = [f"title: {article.title}", f"published: {article.published_at}", f"updated: {article.updated_at}", ""]
        return head + article.text.split("\n")

    old, new = (f"{article.id} revision {article.revision}" for article in (earlier, later))
    return "\n".join(difflib.unified_diff(lines(earlier), lines(later), old, new, lineterm="", n=1))
