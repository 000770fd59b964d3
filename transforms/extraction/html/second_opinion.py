"""The doubtful pages: what two other extractors keep, and how the first verdict looks from a distance.

A page is doubtful if much of its text lies near the model's threshold. Only such pages (about one in ten) pay for
trafilatura and resiliparse; a second model then judges each block by the first one's verdicts around it and by what
the others kept.
"""

import logging
from pathlib import Path

import numpy as np
from lxml.html import HtmlElement
from numpy.typing import NDArray
from resiliparse.extract.html2text import extract_plain_text
from trafilatura import bare_extraction

from newsbeam.transforms.extraction.first_verdicts import OVERALL, names_near, verdicts_of, window
from newsbeam.transforms.extraction.html.block_features import FEATURES, boxes_of
from newsbeam.transforms.extraction.html.blocks import Block, Outline
from newsbeam.transforms.extraction.tree_model import load_model
from newsbeam.transforms.text.line_features import Floats, shifted
from newsbeam.transforms.text.line_words import fours, words_of

# It logs each page that it finds nothing on; here that is one opinion among others.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

MODEL = Path(__file__).parent / "models" / "html_doubtful.npz"
DOUBT = 0.2
"""Share of the kept text that is uncertain, from which a page is doubtful."""
OPINIONS = ("trafilatura", "resiliparse")
_NEIGHBOURS = (-4, -3, -2, -1, 1, 2, 3, 4)
_KEPT = 0.5
_LEVELS = 3
_UNKNOWN = -7.0

DOUBT_FEATURES = (
    *(
        f"{name}_{part}"
        for name in OPINIONS
        for part in ("kept", "kept~3", "kept@-1", "kept@+1", "kept_box", "of_ours", "of_theirs")
    ),
    "opinions",
    *names_near(_NEIGHBOURS),
    *OVERALL,
    *(f"{part}_{level}" for level in range(_LEVELS) for part in ("box_odds", "box_kept", "others_odds")),
    "alike_odds",
    "alike",
    "from_first",
    "from_last",
    *FEATURES,
)


def doubt(page: Outline, probability: Floats) -> float:
    """How much of the page's text is uncertain, as a share of what would be kept; 9 for a page without text."""
    if not len(probability):
        return 9.0
    chars = _chars(page.blocks)
    uncertain = float((chars * np.minimum(probability, 1 - probability)).sum())
    return uncertain / max(50.0, float((chars * probability).sum()))


def opinions(html: str, tree: HtmlElement) -> tuple[str, str]:
    """The main text by trafilatura (set for precision, without its fallbacks) and by resiliparse.

    Comments are off and nothing is deduplicated: trafilatura's memory of earlier pages must not change a result.
    """
    document = bare_extraction(tree, fast=True, favor_precision=True, include_comments=False, deduplicate=False)
    one = (document.text or "") if document is not None else ""
    two = extract_plain_text(html, main_content=True, alt_texts=False, noscript=False, list_bullets=False)
    return one, two


def second_probabilities(
    page: Outline, rows: Floats, probability: Floats, texts: tuple[str, str], model: Path = MODEL
) -> Floats:
    """The probability of each block, seen with the first verdicts and the other extractors' texts."""
    return load_model(model, DOUBT_FEATURES).probability(doubt_features(page, rows, probability, texts))


def _chars(blocks: list[Block]) -> NDArray[np.float64]:
    return np.array([len(block.text) for block in blocks], dtype=np.float64)


def _shares(blocks: list[Block], text: str) -> Floats:
    """How much of each block stands in a text: the share of its word fours, or a short block whole as a line."""
    theirs = set(fours(words_of(text)))
    lines = {words_of(line) for line in text.split("\n")}
    out = np.zeros(len(blocks), dtype=np.float32)
    for index, block in enumerate(blocks):
        own = words_of(block.text)
        if len(own) < 4:
            out[index] = float(bool(own) and own in lines)
        else:
            mine = fours(own)
            out[index] = sum(four in theirs for four in mine) / len(mine)
    return out


def _groups(keys: list[object]) -> NDArray[np.int64]:
    """Keys as numbers, equal for equal keys."""
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def doubt_features(page: Outline, rows: Floats, probability: Floats, texts: tuple[str, str]) -> Floats:
    """One row of `DOUBT_FEATURES` for each block; `rows` are its `FEATURES`."""
    blocks = page.blocks
    count = len(blocks)
    if not count:
        return np.zeros((0, len(DOUBT_FEATURES)), dtype=np.float32)
    chars = _chars(blocks)
    first = verdicts_of(probability, chars, _KEPT)
    odds, weight, kept, mass = first.odds, first.weight, first.kept, first.mass
    around = boxes_of(page)
    boxes = [np.unique(around.up(level + 1), return_inverse=True)[1] for level in range(_LEVELS)]
    columns: list[NDArray[np.floating]] = []
    shares = [_shares(blocks, text) for text in texts]
    for share in shares:
        held = np.bincount(boxes[0], share * weight)[boxes[0]] / np.bincount(boxes[0], weight)[boxes[0]]
        common = float((chars * kept * share).sum())
        columns += [
            share,
            window(share.astype(np.float64), weight, 3),
            shifted(share, -1, -1.0),
            shifted(share, 1, -1.0),
            held,
            np.full(count, common / max(1.0, float((chars * kept).sum()))),
            np.full(count, common / max(1.0, float((chars * share).sum()))),
        ]
    columns += [np.sum(shares, axis=0), *first.near(_NEIGHBOURS), *first.overall()]
    for box in boxes:
        columns += _of_group(box, odds, weight, mass / first.total)
    alike = _groups(
        [
            (block.tag, page.classes[block.container], page.classes[box])
            for block, box in zip(blocks, around.up(1).tolist(), strict=True)
        ]
    )
    columns += [_of_group(alike, odds, weight, mass)[2], np.log1p(np.bincount(alike)[alike])]
    sure = np.flatnonzero(kept & (chars > 60))
    start, last = (int(sure[0]), int(sure[-1])) if len(sure) else (0, count)
    order = np.arange(count)
    columns += [np.clip(order - start, -30, 30), np.clip(order - last, -30, 30)]
    return np.column_stack((*columns, rows)).astype(np.float32)


def _of_group(
    group: NDArray[np.int64], odds: NDArray[np.float64], weight: NDArray[np.float64], mass: NDArray[np.float64]
) -> list[NDArray[np.floating]]:
    """Mean odds of each block's group, the group's mass, and the mean odds of its other members."""
    scores, weights = np.bincount(group, odds * weight)[group], np.bincount(group, weight)[group]
    alone = np.bincount(group)[group] == 1
    others = np.where(alone, _UNKNOWN, (scores - odds * weight) / np.where(alone, 1.0, weights - weight))
    return [scores / np.maximum(1e-6, weights), np.bincount(group, mass)[group], others]
