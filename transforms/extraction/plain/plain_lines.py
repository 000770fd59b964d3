"""A copied page as lines with what is left of its layout, and how each line looks before the headline is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.characters import Ints
from newsbeam.transforms.text.line_features import LINE_FEATURES, Floats, line_features, shifted, window_mean
from newsbeam.transforms.text.line_words import LineWords

MAX_LINES = 20_000
_OF_TITLE = ("title_in_line", "line_in_title", "description_in_line")
"""Of no use before the headline is known."""
_OWN = tuple(name for name in LINE_FEATURES if name not in _OF_TITLE)
NEIGHBOURS = (-4, -3, -2, -1, 1, 2, 3, 4)
_SEEN = ("log_chars", "ends_terminal", "enders", "capital_words", "date", "overlap")
_NEAR = (-2, -1, 1, 2)
_PROSE = 60
_MOST_BLANK, _MOST_INDENT = 4, 40
_BULLETS = ("* ", "+ ", "- ", "o ", "# ", "• ")
LOOKS = (
    *_OWN,
    "place",
    "lines",
    "prose_before",
    "prose_after",
    "page_prose",
    "prose_lines",
    "since_prose",
    "until_prose",
    "segment",
    "segment_share",
    "from_start",
    "from_end",
    *(f"{name}@{by:+d}" for by in NEIGHBOURS for name in _SEEN),
    *(f"{name}~{reach}" for reach in (2, 5, 12) for name in ("prose", "ends_terminal", "log_chars")),
    "bullet",
    "bullet~5",
    "blank_before",
    "blank_after",
    "indent",
    "blank~3",
    "blank~10",
    *(f"{name}@{by:+d}" for by in _NEAR for name in ("indent", "blank_before")),
    "block_lines",
    "block_chars",
    "of_block",
    "as_indented",
)


@dataclass(frozen=True)
class PlainLines:
    """The lines of a text without the empty ones, white space made single; before each its layout.

    Attributes:
        blanks: how many empty lines stand before each line.
        indents: by how many characters each line is indented.
    """

    lines: tuple[str, ...]
    blanks: tuple[int, ...]
    indents: tuple[int, ...]


@dataclass(frozen=True)
class Looks:
    """One row of `LOOKS` for each line, and what further features are made of."""

    rows: Floats
    chars: Floats
    """How long each line is."""
    words: LineWords
    prose: NDArray[np.bool_]
    """Which lines read like running text."""
    segment: tuple[int, int]
    """Start and end of the longest run of such lines."""


def plain_lines(text: str) -> PlainLines:
    """Splits a text of any size into at most `MAX_LINES` lines."""
    lines: list[str] = []
    blanks: list[int] = []
    indents: list[int] = []
    blank = 0
    for raw in text.splitlines()[: 4 * MAX_LINES]:
        line = " ".join(raw.split())
        if not line:
            blank += 1
        elif len(lines) < MAX_LINES:
            lines.append(line)
            blanks.append(blank)
            indents.append(len(raw) - len(raw.lstrip()))
            blank = 0
    return PlainLines(tuple(lines), tuple(blanks), tuple(indents))


def best_segment(scores: NDArray[np.floating]) -> tuple[int, int]:
    """Start and end of the run of lines with the largest sum (Bentley 1984; for web text Pasternack and Roth 2009)."""
    if not len(scores):
        return 0, 0
    sums = np.concatenate(([0.0], np.cumsum(scores, dtype=np.float64)))
    lowest = np.minimum.accumulate(sums[:-1])
    end = int(np.argmax(sums[1:] - lowest)) + 1
    start = int(np.argmin(sums[:end]))
    return start, end


def looks_of(page: PlainLines) -> Looks:
    """The features of each line that need no headline: its own, its neighbours', its place and layout."""
    lines = page.lines
    count = len(lines)
    line, words = line_features(lines, "", "")
    column = dict(zip(LINE_FEATURES, line.T, strict=True))
    chars = np.array([len(one) for one in lines], dtype=np.float32)
    is_prose = (chars > _PROSE) & (column["enders"] > 0)
    prose = np.where(is_prose, chars, 0.0).astype(np.float32)
    total = max(1.0, float(prose.sum()))
    before = np.cumsum(prose) - prose
    order = np.arange(count)
    low, high = best_segment(np.where(is_prose, np.sqrt(chars), -4.0))
    around: list[NDArray[np.floating]] = []
    for by in NEIGHBOURS:
        around += [shifted(column[name], by, -1.0) for name in _SEEN]
    density = np.log1p(prose)
    for reach in (2, 5, 12):
        around += [
            window_mean(density, reach),
            window_mean(column["ends_terminal"], reach),
            window_mean(column["log_chars"], reach),
        ]
    rows = np.column_stack(
        (
            *(column[name] for name in _OWN),
            order / max(1, count),
            np.full(count, np.log1p(count)),
            before / total,
            (total - before - prose) / total,
            np.full(count, np.log1p(total)),
            np.full(count, is_prose.sum() / max(1, count)),
            np.minimum(distance(is_prose), 40),
            np.minimum(distance(is_prose[::-1])[::-1], 40),
            (order >= low) & (order < high),
            np.full(count, prose[low:high].sum() / total),
            np.clip(order - low, -40, 40),
            np.clip(order - high, -40, 40),
            *around,
            *_layout(page, chars),
        )
    ).astype(np.float32)
    return Looks(rows, chars, words, is_prose, (low, high))


def distance(flags: NDArray[np.bool_]) -> Ints:
    """How many lines ago the last flagged one was, itself included; 99 and more if none was."""
    order = np.arange(len(flags))
    last: Ints = np.maximum.accumulate(np.where(flags, order, -99)) if len(flags) else order
    return order - last


def _layout(page: PlainLines, chars: Floats) -> Sequence[NDArray[np.floating]]:
    """Bullets, empty lines, indents, and the block of lines without an empty one between them."""
    count = len(page.lines)
    bullet = np.array([line.startswith(_BULLETS) for line in page.lines], dtype=np.float32)
    blank = np.minimum(np.array(page.blanks, dtype=np.float32), _MOST_BLANK)
    indent = np.minimum(np.array(page.indents, dtype=np.int64), _MOST_INDENT)
    block = np.cumsum(blank > 0)
    sizes = np.bincount(block, minlength=1)
    mass = np.bincount(block, chars, minlength=1)
    indented = np.bincount(indent, chars, _MOST_INDENT + 1) / max(1.0, float(chars.sum()))
    out = [
        bullet,
        window_mean(bullet, 5),
        blank,
        shifted(blank, 1, 1.0),
        indent,
        window_mean(blank, 3),
        window_mean(blank, 10),
    ]
    for by in _NEAR:
        out += [shifted(indent.astype(np.float32), by, -1.0), shifted(blank, by, -1.0)]
    out += [sizes[block], np.log1p(mass[block]), chars / np.maximum(1.0, mass[block]), indented[indent]]
    return out if count else [np.zeros(0, dtype=np.float32)] * len(out)
