"""Makes variants of pages to train on: the same article with another site's markup, shortened, or among other
boilerplate.

Seven hundred pages show a model few habits of markup, and it comes to lean on those of their sites. A variant takes
some of them away (class words, tags, metadata, whole boxes of boilerplate) or cuts the article: what the model learns
from it holds without them. Such augmentation is common in vision and speech; `scripts/train_lines.py` uses it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.extraction.html.block_features import block_features
from newsbeam.transforms.extraction.html.blocks import CONTEXT_TAGS, Outline
from newsbeam.transforms.extraction.html.class_words import CLASS_GROUPS
from newsbeam.transforms.extraction.tree_model import TreeModel
from scripts.evaluation.line_training import Example, fold_of
from scripts.evaluation.variants import EASY, MIN_LINES, shortened, variant_weights

_CLASS_GONE, _ALL_CLASSES_GONE, _TAG_GONE, _ITEMS_GONE = 0.3, 0.1, 0.12, 0.5
_DESCRIPTION_GONE, _BODY_GONE, _SITE_GONE = 0.2, 0.3, 0.2
_BOXES_GONE, _MOST_BOXES = 0.5, 0.4
_NO_PARAGRAPHS = 0.08


def with_variants(examples: Sequence[Example], trial: Sequence[TreeModel], copies: int) -> list[Example]:
    """Returns the examples and `copies` variants of each. `trial` are models of the folds that have not seen the
    example's site."""
    out = list(examples)
    for number, example in enumerate(examples):
        chances = trial[fold_of(example.site)].probability(example.rows)
        random = np.random.default_rng(number)
        made = (_variant(example, (chances < EASY) & ~example.labels, random) for _ in range(copies))
        out += [variant for variant in made if variant is not None]
    return out


def _variant(example: Example, easy: NDArray[np.bool_], random: np.random.Generator) -> Example | None:
    page, labels = example.page, example.labels
    if page is None or len(page.blocks) < MIN_LINES:
        return None
    classes_gone = _some_bits(random, len(CLASS_GROUPS), _CLASS_GONE)
    if random.random() < _ALL_CLASSES_GONE:
        classes_gone = (1 << len(CLASS_GROUPS)) - 1
    tags_gone = _some_bits(random, len(CONTEXT_TAGS), _TAG_GONE)
    items_gone = random.random() < _ITEMS_GONE
    keep = shortened(labels, random) & _boxes_left(page, labels, random)
    if not (keep & labels).any():
        return None
    deeper = int(random.integers(-2, 4))
    no_paragraphs = random.random() < _NO_PARAGRAPHS
    blocks = [
        replace(
            block,
            own=block.own & ~classes_gone,
            context=block.context & ~tags_gone,
            item=0 if items_gone else block.item,
            depth=max(1, block.depth + deeper),
            tag="div" if no_paragraphs and block.tag == "p" else block.tag,
        )
        for block, kept in zip(page.blocks, keep.tolist(), strict=True)
        if kept
    ]
    other = Outline(
        blocks,
        page.parents,
        [bits & ~classes_gone for bits in page.classes],
        [bits & ~tags_gone for bits in page.tags],
        page.truncated,
    )
    title, description, body, site = example.described
    description = "" if random.random() < _DESCRIPTION_GONE else description
    body = "" if random.random() < _BODY_GONE else body
    site = "" if random.random() < _SITE_GONE else site
    article = float((example.weights * labels).sum())
    weights = variant_weights(article, example.weights[keep], labels[keep], easy[keep], random)
    rows = block_features(other, title, description, body, site)
    return replace(example, rows=rows, labels=labels[keep], weights=weights, page=other)


def _some_bits(random: np.random.Generator, width: int, chance: float) -> int:
    return sum(1 << place for place in np.flatnonzero(random.random(width) < chance).tolist())


def _boxes_left(page: Outline, labels: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    """Removes some boxes beside the article, half of the time none; returns what is left."""
    if random.random() >= _BOXES_GONE:
        return np.ones(len(labels), dtype=bool)
    parents = page.parents
    holds = [False] * len(parents)
    for block, label in zip(page.blocks, labels.tolist(), strict=True):
        container = block.container
        while label and not holds[container]:
            holds[container] = True
            container = parents[container]
    share = random.uniform(0, _MOST_BOXES)
    gone = [False] * len(parents)
    for container in range(1, len(parents)):
        around = parents[container]
        beside = holds[around] and not holds[container]
        gone[container] = gone[around] or (beside and bool(random.random() < share))
    return ~np.array(gone)[[block.container for block in page.blocks]]
