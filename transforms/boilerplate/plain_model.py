"""Lines of plain text in numbers, and the model that tells the article from the rest of a copied page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transforms.boilerplate.line_features import (
    LINE_FEATURES,
    Floats,
    line_features,
    shifted,
    window_mean,
)
from transforms.boilerplate.tree_model import load_model

MODEL = Path(__file__).parent / "models" / "plain_lines.npz"
THRESHOLD = 0.4
SURE = 0.85
"""From here the model overrules a rule that is not always right."""
_NEIGHBOURS = (-4, -3, -2, -1, 1, 2, 3, 4)
_SEEN = ("log_chars", "ends_terminal", "enders", "capital_words", "ruled", "date", "overlap")
PLAIN_FEATURES = (
    *LINE_FEATURES,
    "ruled",
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
    "lead_overlap",
    "lead_overlap~4",
    *(f"{name}@{by:+d}" for by in _NEIGHBOURS for name in _SEEN),
    *(f"{name}~{reach}" for reach in (2, 5, 12) for name in ("prose", "ends_terminal", "log_chars")),
)


def plain_features(lines: Sequence[str], title: str, ruled: Mapping[int, str]) -> Floats:
    """One row of `PLAIN_FEATURES` for each line; `ruled` are the places that rules would remove."""
    count = len(lines)
    line, words = line_features(lines, title, "")
    column = dict(zip(LINE_FEATURES, line.T, strict=True))
    chars = np.array([len(one) for one in lines], dtype=np.float32)
    flags = np.zeros(count, dtype=np.float32)
    flags[list(ruled)] = 1.0
    column["ruled"] = flags
    is_prose = (chars > 60) & (column["enders"] > 0) & (flags == 0)
    prose = np.where(is_prose, chars, 0.0).astype(np.float32)
    total = max(1.0, float(prose.sum()))
    before = np.cumsum(prose) - prose
    order = np.arange(count)
    since = order - np.maximum.accumulate(np.where(is_prose, order, -99))
    until = (np.maximum.accumulate(np.where(is_prose, order, -99)[::-1]))[::-1]
    until = np.array(_until(is_prose), dtype=np.float32) if count else until
    low, high = best_segment(np.where(is_prose, np.sqrt(chars), -4.0))
    overlap = words.lead_overlap([int(at) for at in np.flatnonzero(is_prose) if low <= at < high][:6], title)
    inside = ((order >= low) & (order < high)).astype(np.float32)
    around: list[NDArray[np.float32]] = []
    for by in _NEIGHBOURS:
        around += [shifted(column[name], by, -1.0) for name in _SEEN]
    density = np.log1p(prose)
    for reach in (2, 5, 12):
        around += [
            window_mean(density, reach),
            window_mean(column["ends_terminal"], reach),
            window_mean(column["log_chars"], reach),
        ]
    return np.column_stack(
        (
            line,
            flags,
            order / max(1, count),
            np.full(count, np.log1p(count)),
            before / total,
            (total - before - prose) / total,
            np.full(count, np.log1p(total)),
            np.full(count, is_prose.sum() / max(1, count)),
            np.minimum(since, 40),
            np.minimum(until, 40),
            inside,
            np.full(count, prose[low:high].sum() / total),
            np.clip(order - low, -40, 40),
            np.clip(order - high, -40, 40),
            overlap,
            window_mean(overlap, 4),
            *around,
        )
    ).astype(np.float32)


def best_segment(scores: NDArray[np.floating]) -> tuple[int, int]:
    """Start and end of the run of lines with the largest sum (Bentley 1984; for web text Pasternack and Roth 2009)."""
    if not len(scores):
        return 0, 0
    sums = np.concatenate(([0.0], np.cumsum(scores, dtype=np.float64)))
    lowest = np.minimum.accumulate(sums[:-1])
    end = int(np.argmax(sums[1:] - lowest)) + 1
    start = int(np.argmin(sums[:end]))
    return start, end


def plain_probabilities(lines: Sequence[str], title: str, ruled: Mapping[int, str], model: Path = MODEL) -> Floats:
    """The probability of each line to be of the article."""
    return load_model(model, PLAIN_FEATURES).probability(plain_features(lines, title, ruled))


def _until(flags: NDArray[np.bool_]) -> list[int]:
    out = []
    ahead = 99
    for flag in flags[::-1].tolist():
        ahead = 0 if flag else ahead + 1
        out.append(ahead)
    return out[::-1]
