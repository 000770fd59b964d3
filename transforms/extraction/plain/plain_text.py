"""A page as a reader copied it: plain lines, with headline, dates and byline among them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from newsbeam.transforms.boilerplate.rules import SOFT, Text, bylines, datelines, is_prose, judge
from newsbeam.transforms.extraction.dated_lines import dated
from newsbeam.transforms.extraction.names import clean_names
from newsbeam.transforms.extraction.plain import headline, plain_model, plain_second
from newsbeam.transforms.extraction.plain.headline import headline_probabilities
from newsbeam.transforms.extraction.plain.plain_lines import looks_of, plain_lines
from newsbeam.transforms.extraction.plain.plain_model import plain_features, plain_probabilities
from newsbeam.transforms.extraction.plain.plain_second import SURE, THRESHOLD, second_probabilities
from newsbeam.transforms.text.line_features import Floats
from newsbeam.transforms.text.moment import Moment, sensible

_HEAD_LINES, _TAIL_LINES = 15, 6
_BEFORE, _AFTER = 6, 20
_LIKELY, _MAX_HEADLINE = 0.3, 300
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class PlainModels:
    """Where the models of plain text lie: which line is the headline, and which lines are the article."""

    headline: Path
    first: Path
    second: Path


PLAIN_MODELS = PlainModels(headline.MODEL, plain_model.MODEL, plain_second.MODEL)


@dataclass(frozen=True)
class PlainPage:
    """What plain text tells: its lines without the empty ones, and what stands around the story."""

    lines: tuple[str, ...]
    removed: Mapping[int, str]
    """Place -> rule of those that are not the article; none if that would be all of them."""
    undone: bool
    """Whether it would."""
    title: str
    authors: tuple[str, ...]
    published: Optional[Moment]
    updated: Optional[Moment]


def read_plain(text: str, fetched_at: Optional[str], models: PlainModels = PLAIN_MODELS) -> PlainPage:
    """Reads the lines of a text, tells the headline and the article, and reads the dateline and the byline."""
    page = plain_lines(text)
    looks = looks_of(page)
    lines = page.lines
    index = headline_of(lines, headline_probabilities(looks, models.headline))
    title = lines[index] if lines else ""
    authors = authors_of(lines, index)
    published, updated = _dates([*_around(lines, index), *_head(lines)], fetched_at)
    ruled = judge(Text(lines, title, authors), plain=True)
    rows = plain_features(looks, title, ruled)
    chances = second_probabilities(looks, rows, plain_probabilities(rows, models.first), models.second).tolist()
    # Models that are sure overrule a rule that is not always right.
    sure = [SURE if ruled.get(index) in SOFT else THRESHOLD for index in range(len(lines))]
    removed = {
        index: ruled.get(index, "line_model")
        for index, chance in enumerate(chances)
        if chance < sure[index] or (index in ruled and ruled[index] not in SOFT)
    }
    undone = 0 < len(lines) == len(removed)
    return PlainPage(lines, {} if undone else removed, undone, title, authors, published, updated)


def headline_of(lines: Sequence[str], probability: Floats) -> int:
    """The likeliest line; if none is likely, the first of three words before any paragraph, or the first of all."""
    short = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)) <= _MAX_HEADLINE
    if (short & (probability >= _LIKELY)).any():
        return int(np.argmax(np.where(short, probability, 0.0)))
    first = next((index for index, line in enumerate(lines) if is_prose(line)), len(lines))
    head = enumerate(lines[: max(first, 1)])
    return next((index for index, line in head if short[index] and len(_WORD.findall(line)) >= 3), 0)


def authors_of(lines: Sequence[str], headline: int) -> tuple[str, ...]:
    """The names in the byline: near the headline, or else among the last lines."""
    for near in (_around(lines, headline), lines[-_TAIL_LINES:]):
        indexes = sorted(bylines(Text(near, lines[headline], ()))) if lines else []
        if indexes:
            return clean_names([near[index] for index in indexes[:2]], ())
    return ()


def _around(lines: Sequence[str], headline: int) -> Sequence[str]:
    """The lines where a story's byline and dateline stand: next to its headline, those behind it first."""
    return [*lines[headline : headline + _AFTER], *lines[max(0, headline - _BEFORE) : headline][::-1]]


def _head(lines: Sequence[str]) -> Sequence[str]:
    """The lines up to the first paragraph, and those at the top."""
    first = next((index for index, line in enumerate(lines) if is_prose(line)), len(lines))
    return [*lines[: first + 3][-_HEAD_LINES:], *lines[:_HEAD_LINES]]


def _dates(lines: Sequence[str], fetched_at: Optional[str]) -> tuple[Optional[Moment], Optional[Moment]]:
    """Published and updated time from the datelines; a date that its line calls one of an update is the latter."""
    published: Optional[Moment] = None
    updated: Optional[Moment] = None
    for index in sorted(datelines(Text(lines, "", ()))):
        for moment, is_update in dated(lines[index]):
            if not sensible(moment, fetched_at):
                continue
            if is_update:
                updated = updated or moment
            else:
                published = published or moment
    return published, updated
