"""Makes examples for the models of plain text: whole pages rendered as text, with the headline and the article
marked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from newsbeam.transforms.boilerplate.rules import Text, judge
from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.blocks import outline
from newsbeam.transforms.extraction.json_ld import described_article
from newsbeam.transforms.extraction.plain.headline import headline_features
from newsbeam.transforms.extraction.plain.plain_lines import looks_of, plain_lines
from newsbeam.transforms.extraction.plain.plain_model import plain_features
from newsbeam.transforms.extraction.plain.plain_second import second_features
from newsbeam.transforms.extraction.plain.plain_text import authors_of, headline_of
from newsbeam.transforms.extraction.tree_model import TreeModel
from scripts.evaluation.extraction_score import fold
from scripts.evaluation.line_training import Example, fold_of, is_whole, label_lines, metadata_of, render, usable
from scripts.evaluation.plain_variants import PlainExample, variant
from scripts.evaluation.variants import EASY

_HEADLINE_WEIGHT, _OTHER_WEIGHT = 20.0, 0.3


def plain_pages(data: Path) -> list[PlainExample]:
    """Yields renderings of the pages whose gold is not suspected to be wrong and of which they show a line.

    The headline is the line that has the title of the page's HTML.
    """
    out = []
    for row, body in usable(data):
        page = plain_lines(render(body))
        labels, weights = label_lines(page.lines, row)
        if labels.any():
            title = fold(_title(body.decode("utf-8", "replace"), row))
            headline = np.array([bool(title) and fold(line) == title for line in page.lines])
            easy = np.zeros(len(labels), dtype=bool)
            out.append(PlainExample(row["site"], page, labels, weights, headline, easy))
    return out


def _title(html: str, row: dict[str, Any]) -> str:
    tree = parse(html, row["id"])
    return metadata_of(tree, outline(tree), described_article(tree), row).title


def headline_examples(pages: Sequence[PlainExample]) -> list[Example]:
    """Makes the headline model's examples; a headline that stands twice counts once."""
    out = []
    for page in pages:
        weights = np.where(page.headline, _HEADLINE_WEIGHT / max(1, page.headline.sum()), _OTHER_WEIGHT)
        out.append(Example(page.site, headline_features(looks_of(page.page)), page.headline, weights))
    return out


def line_examples(pages: Sequence[PlainExample], by_fold: Sequence[TreeModel]) -> list[Example]:
    """Makes examples of lines, with features that depend on the headline as found by a model that has not seen the
    page's site."""
    out = []
    for page in pages:
        looks = looks_of(page.page)
        place = headline_of(page.page.lines, by_fold[fold_of(page.site)].probability(headline_features(looks)))
        title = page.page.lines[place]
        ruled = judge(Text(page.page.lines, title, authors_of(page.page.lines, place)), plain=True)
        out.append(Example(page.site, plain_features(looks, title, ruled), page.labels, page.weights))
    return out


def tried(
    pages: Sequence[PlainExample], examples: Sequence[Example], by_fold: Sequence[TreeModel]
) -> tuple[list[PlainExample], list[Example]]:
    """Keeps the pages whose gold was not cut short and marks their easy lines, both judged by a first trial on
    `examples`."""
    whole, kept = [], []
    for page, example in zip(pages, examples, strict=True):
        chances = by_fold[fold_of(page.site)].probability(example.rows)
        if is_whole(page.page.lines, page.labels, chances):
            whole.append(replace(page, easy=(chances < EASY) & ~page.labels))
            kept.append(example)
    return whole, kept


def plain_second_examples(
    pages: Sequence[PlainExample], examples: Sequence[Example], by_fold: Sequence[TreeModel]
) -> list[Example]:
    """Makes the second model's examples: the same lines with the verdicts of a first model that has not seen the
    page."""
    out = []
    for page, example in zip(pages, examples, strict=True):
        chances = by_fold[fold_of(page.site)].probability(example.rows)
        out.append(replace(example, rows=second_features(looks_of(page.page), example.rows, chances)))
    return out


def variants_of(pages: Sequence[PlainExample], copies: int) -> list[PlainExample]:
    """Returns `copies` variants of each page, mixed with pages of its fold."""
    out = []
    for number, page in enumerate(pages):
        others = [other for other in pages if other is not page and fold_of(other.site) == fold_of(page.site)]
        random = np.random.default_rng(number)
        out += [variant(page, others, random) for _ in range(copies)]
    return out
