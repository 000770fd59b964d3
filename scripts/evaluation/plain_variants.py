"""Makes variants of plain text to train on: an article between the menus of another page and the footer of a third.

Seven hundred pages show few menus and footers, each always with the same article. In a variant the parts of pages are
mixed, stretches of them left out, the article is cut short, or the layout is gone; all is computed anew for the lines
that result. Pages are mixed with pages of their own fold only, so that no variant brings a line of a site into the
training of a model that is judged on the site.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.extraction.plain.plain_lines import PlainLines
from scripts.evaluation.variants import shortened, variant_weights

_ELSEWHERE = 0.6
"""Probability that the text before, or after, the article is taken from another page."""
_INSERTED, _MOST_INSERTED = 0.2, 6
"""Probability that lines of another page are put into the article."""
_SECOND_STORY = 0.05
"""Probability that the page goes on with another story."""
_LEFT_OUT, _MOST_LEFT_OUT = 0.5, 0.8
_NO_LAYOUT, _ALL_APART, _NO_BULLETS = 0.08, 0.08, 0.1
_BULLET = re.compile(r"^[*+o-] (?=.)")
_FAR = 60
"""Lines between a headline and the first line of its article."""


@dataclass(frozen=True)
class PlainExample:
    """One page as text, with what is known of each line."""

    site: str
    page: PlainLines
    labels: NDArray[np.bool_]
    weights: NDArray[np.float64]
    headline: NDArray[np.bool_]
    easy: NDArray[np.bool_]
    """Lines that a first trial rightly rejected with certainty."""

    def article(self) -> tuple[int, int]:
        """Returns where the article starts (with its headline, if that is near) and where it ends."""
        places = np.flatnonzero(self.labels)
        first, end = int(places[0]), int(places[-1]) + 1
        heads = np.flatnonzero(self.headline[max(0, first - _FAR) : first])
        return (max(0, first - _FAR) + int(heads[-1]) if len(heads) else first), end


def variant(example: PlainExample, others: Sequence[PlainExample], random: np.random.Generator) -> PlainExample:
    """One variant of a page, mixed with `others` of its fold."""
    first, end = example.article()
    before, after, within, behind = (
        others[int(random.integers(len(others)))] if others and random.random() < chance else example
        for chance in (_ELSEWHERE, _ELSEWHERE, _INSERTED, _SECOND_STORY)
    )
    story = np.arange(first, end)[shortened(example.labels[first:end], random)]
    parts = [
        (before, _thinned(0, before.article()[0], random)),
        (example, story),
        (after, _thinned(after.article()[1], len(after.labels), random)),
    ]
    if within is not example:
        cut = int(random.integers(1, max(2, len(story))))
        parts[1:2] = [(example, story[:cut]), (within, _stretch(within, random)), (example, story[cut:])]
    if behind is not example:
        parts.append((behind, np.arange(*behind.article())))
    page = _joined([(part.page, places) for part, places in parts])
    labels = np.concatenate([part.labels[places] & (part is example) for part, places in parts])
    headline = np.concatenate([part.headline[places] & (part is example) for part, places in parts])
    easy = np.concatenate([part.easy[places] for part, places in parts])
    weights = np.concatenate([part.weights[places] for part, places in parts])
    article = float((example.weights * example.labels).sum())
    weights = variant_weights(article, weights, labels, easy, random)
    return replace(example, page=_layout(page, random), labels=labels, weights=weights, headline=headline, easy=easy)


def _joined(parts: Sequence[tuple[PlainLines, NDArray[np.int64]]]) -> PlainLines:
    return PlainLines(
        tuple(page.lines[place] for page, places in parts for place in places.tolist()),
        tuple(page.blanks[place] for page, places in parts for place in places.tolist()),
        tuple(page.indents[place] for page, places in parts for place in places.tolist()),
    )


def _thinned(start: int, end: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Cuts out a stretch of lines, half of the time none; returns what is left."""
    keep = np.ones(end - start, dtype=bool)
    if random.random() < _LEFT_OUT and end > start:
        cut = int((end - start) * random.uniform(0, _MOST_LEFT_OUT))
        at = int(random.integers(0, max(1, end - start - cut)))
        keep[at : at + cut] = False
    return np.arange(start, end)[keep]


def _stretch(example: PlainExample, random: np.random.Generator) -> NDArray[np.int64]:
    """Returns a few lines of a page outside its article, from behind it if there are any."""
    end = example.article()[1]
    places = np.arange(end, len(example.labels)) if end < len(example.labels) else np.flatnonzero(~example.labels)
    at = int(random.integers(0, max(1, len(places))))
    return places[at : at + int(random.integers(1, _MOST_INSERTED + 1))]


def _layout(page: PlainLines, random: np.random.Generator) -> PlainLines:
    """Sometimes changes the layout as copying does: removes all empty lines, or adds one after each line."""
    chance = random.random()
    count = len(page.lines)
    if chance < _NO_LAYOUT:
        page = PlainLines(page.lines, (0,) * count, (0,) * count)
    elif chance < _NO_LAYOUT + _ALL_APART:
        page = PlainLines(page.lines, (1,) * count, (0,) * count)
    if random.random() < _NO_BULLETS:
        bare = tuple(_BULLET.sub("", line) for line in page.lines)
        page = replace(page, lines=bare)
    return page
