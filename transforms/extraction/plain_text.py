"""A page as a reader copied it: plain lines, with headline, dates and byline among them."""

import re
from dataclasses import dataclass
from typing import Optional

from transforms.boilerplate.rules import Text, bylines, datelines, is_prose
from transforms.dates import Moment, sensible
from transforms.extraction.dated_lines import dated
from transforms.extraction.names import clean_names

MAX_LINES = 20_000
_HEAD_LINES = 15
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class PlainPage:
    """What plain text tells: its lines without the empty ones, and what stands around the story."""

    lines: tuple[str, ...]
    title: str
    authors: tuple[str, ...]
    published: Optional[Moment]
    updated: Optional[Moment]


def read_plain(text: str, fetched_at: Optional[str]) -> PlainPage:
    """Reads the lines, the headline (the first line that reads like one), the dateline and the byline of a text."""
    lines = tuple(line for raw in text.splitlines()[: 4 * MAX_LINES] if (line := " ".join(raw.split())))[:MAX_LINES]
    first = next((place for place, line in enumerate(lines) if is_prose(line)), len(lines))
    head = lines[: max(first, 1)]
    title = next(
        (line for line in head if len(_WORD.findall(line)) >= 3 and len(line) < 300), lines[0] if lines else ""
    )
    near = [*lines[: first + 3][-_HEAD_LINES:], *lines[:_HEAD_LINES]]
    published, updated = _dates(near, fetched_at)
    text_ = Text(near, title, ())
    named = [near[place] for place in sorted(bylines(text_))]
    tail = Text(lines[-6:], title, ())
    named += [lines[-6:][place] for place in sorted(bylines(tail))] if not named else []
    return PlainPage(lines, title, clean_names(named[:2], ()), published, updated)


def _dates(lines: list[str], fetched_at: Optional[str]) -> tuple[Optional[Moment], Optional[Moment]]:
    """Published and updated time from the datelines; a date that its line calls one of an update is the latter."""
    published: Optional[Moment] = None
    updated: Optional[Moment] = None
    for place in sorted(datelines(Text(lines, "", ()))):
        for moment, is_update in dated(lines[place]):
            if not sensible(moment, fetched_at):
                continue
            if is_update:
                updated = updated or moment
            else:
                published = published or moment
    return published, updated
