"""From a parsed page to its lines: which blocks are the article, by the model and, in doubt, a second opinion."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np
from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from newsbeam.transforms.boilerplate.rules import credit_of, phrase_of
from newsbeam.transforms.extraction.html import second_opinion
from newsbeam.transforms.extraction.html.block_features import FEATURES, block_features
from newsbeam.transforms.extraction.html.blocks import CONTEXT_TAGS, Block, Outline
from newsbeam.transforms.extraction.html.second_opinion import DOUBT, doubt, opinions, second_probabilities
from newsbeam.transforms.extraction.metadata import Metadata
from newsbeam.transforms.extraction.tree_model import load_model
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import RemovedBlock
from newsbeam.transforms.text.line_features import Floats, fold, folds_to
from newsbeam.transforms.text.line_words import words_of

THRESHOLD = 0.55
THRESHOLD_DOUBTFUL = 0.5
MIN_DESCRIBED = 600
MAX_CHARS = 20_000_000
MAX_DOUBTFUL_BLOCKS = 5_000
"""A page of more blocks is no article worth the time of other extractors."""
HEAD_BLOCKS = 40
_PARAGRAPH = 100
_COPY, _SENTENCE, _COPIED = 400, 60, 0.8
TAIL_BLOCKS = 12
_FOOTER = (1 << CONTEXT_TAGS.index("footer")) | (1 << CONTEXT_TAGS.index("nav"))
_FIGURE = (1 << CONTEXT_TAGS.index("figure")) | (1 << CONTEXT_TAGS.index("figcaption"))
_ELEMENTS = etree.ElementDefaultClassLookup(element=HtmlElement)
"""Every element of one class: lxml's own parser asks Python for the class of each (a form, an input, ...)."""


@dataclass(frozen=True)
class Models:
    """Where the line models lie: for every page, and for the doubtful ones."""

    first: Path
    second: Path


MODELS = Models(Path(__file__).parent / "models" / "html_lines.npz", second_opinion.MODEL)


@dataclass(frozen=True)
class Body:
    """The lines of the article's region: kept ones, and those dropped between them, with their places."""

    lines: tuple[str, ...]
    removed: tuple[RemovedBlock, ...]
    certainty: float
    """Mean probability over the kept characters; 0 where nothing is kept."""


def parse(text: str, where: str) -> HtmlElement:
    """The tree of a page; comments and processing instructions are left out.

    Raises:
        Rejected: `no_text` for a document without any element.
    """
    # A parser of its own for each page: lxml parsers keep an error log, and share a dictionary of names.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(_ELEMENTS)
    try:
        return document_fromstring(text[:MAX_CHARS].encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Rejected("no_text", f"{where}: no HTML in the document ({error})") from error


def line_probabilities(
    page: Outline, html: str, tree: HtmlElement, known: Metadata, stated: str, models: Models
) -> tuple[Floats, bool]:
    """The probability of each block to be of the article, and whether a second opinion was asked for it."""
    rows = block_features(page, known.title, known.description, stated, known.publisher)
    probability = load_model(models.first, FEATURES).probability(rows)
    if not 0 < len(page.blocks) <= MAX_DOUBTFUL_BLOCKS or doubt(page, probability) < DOUBT:
        return probability, False
    return second_probabilities(page, rows, probability, opinions(html, tree), models.second), True


def article_body(page: Outline, probability: Floats, doubted: bool, title: str) -> Body:
    """Keeps the blocks above the threshold; what lies among and next to them is named as removed.

    On record is the region of the article: from its headline, where that stands close before, to some blocks behind
    the last one kept, but no further than a footer. Menus and what else lies outside were never lines of it.
    """
    threshold = THRESHOLD_DOUBTFUL if doubted else THRESHOLD
    kept = np.flatnonzero(probability >= threshold)
    if not len(kept):
        return Body((), (), 0.0)
    blocks = page.blocks
    headline = fold(title)
    until = _next_story(blocks, headline, kept.tolist())
    kept = kept[kept < until]
    first, last = int(kept[0]), int(kept[-1])
    before = range(max(0, first - HEAD_BLOCKS), first)
    start = next((position for position in before if folds_to(blocks[position].text, headline)), first)
    end = last + 1
    while end < min(until, last + 1 + TAIL_BLOCKS) and not blocks[end].context & _FOOTER:
        end += 1
    lines: list[str] = []
    removed: list[RemovedBlock] = []
    weight = score = 0.0
    for number, position in enumerate(range(start, end)):
        block = blocks[position]
        if probability[position] >= threshold and repeats(block.text, lines):
            removed.append(RemovedBlock("repeat", block.text, number))
        elif probability[position] >= threshold:
            lines.append(block.text)
            weight += len(block.text)
            score += len(block.text) * float(probability[position])
        else:
            removed.append(RemovedBlock(_reason(block, headline), block.text, number))
    return Body(tuple(lines), tuple(removed), round(score / weight, 4))


def repeats(text: str, lines: Sequence[str]) -> bool:
    """Whether a long block is mostly the lines before it once more: some pages hold an article twice."""
    if len(text) < _COPY:
        return False
    return sum(len(line) for line in lines if len(line) > _SENTENCE and line in text) > _COPIED * len(text)


def _next_story(blocks: Sequence[Block], headline: str, kept: Sequence[int]) -> int:
    """Where another story begins on a page that goes on without end; the number of blocks if none does.

    It begins at an `h1` behind the text that looks as the headline does: the same depth and class.
    """
    titles = (position for position, block in enumerate(blocks) if block.tag == "h1" and folds_to(block.text, headline))
    title = next(titles, len(blocks))
    paragraphs = [position for position in kept if position > title and len(blocks[position].text) > _PARAGRAPH][:2]
    if len(paragraphs) < 2:
        return len(blocks)
    look = (blocks[title].depth, blocks[title].own)
    behind = enumerate(blocks[paragraphs[-1] + 1 :], start=paragraphs[-1] + 1)
    alike = (position for position, one in behind if one.tag == "h1" and (one.depth, one.own) == look)
    return next(alike, len(blocks))


def described_body(body: Body, described: str, title: str) -> Optional[Body]:
    """The text of JSON-LD where the page shows next to none of it (a script would draw it), else None.

    It must be long, the page's own text under a quarter of it, and both of one story: half of the title's words, or
    of the lines found, stand in it.
    """
    found = "\n".join(body.lines)
    if len(described) < MIN_DESCRIBED or len(found) > 0.25 * len(described):
        return None
    words = set(words_of(described))
    named, shown = set(words_of(title)), set(words_of(found))
    if len(named & words) < 0.5 * max(1, len(named)) and len(shown & words) < 0.5 * max(1, len(shown)):
        return None
    return Body(tuple(line for line in described.split("\n") if line), (), 0.0)


def _reason(block: Block, headline: str) -> str:
    """The name a reader would give to what the model dropped."""
    if folds_to(block.text, headline):
        return "headline"
    named = phrase_of(block.text)
    if named:
        return named
    if block.context & _FIGURE or credit_of(block.text):
        return "caption"
    if block.link_chars > 0.6 * len(block.text):
        return "links"
    return "line_model"
