"""Variants of pages to train on: less of a page, never another text, and every line still with its label."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.block_features import FEATURES, block_features
from newsbeam.transforms.extraction.html.blocks import outline
from newsbeam.transforms.extraction.tree_model import TreeModel
from scripts.evaluation.line_training import Example, weighed
from scripts.evaluation.line_variants import with_variants
from scripts.evaluation.variants import EASY_WEIGHT, WEIGHT

OF_ITSELF = ("New ferries for the harbour", "Two ferries are to be built.", "", "Harbour Post")


def same_of_all(chance: float) -> TreeModel:
    """A model of one tree that says the same of every line."""
    no = np.full(1, np.inf, dtype=np.float32)
    zero = np.zeros(1, dtype=np.int64)
    leaves = np.full((1, 2), np.log(chance / (1 - chance)), dtype=np.float32)
    return TreeModel(zero, no, zero[:, None], leaves, 0.0, FEATURES)


def example(page_of: str) -> Example:
    page = outline(parse(page_of, "a page"))
    labels = np.array(["ferr" in block.text for block in page.blocks])
    rows = block_features(page, *OF_ITSELF)
    return Example("harbour.example", rows, labels, np.ones(len(labels)), page, ("", ""), OF_ITSELF)


PAGE = (
    "<nav class=menu><ul>" + "".join(f"<li><a href=/{n}>Section {n}</a></li>" for n in range(8)) + "</ul></nav>"
    "<article class=story><h1>New ferries for the harbour</h1>"
    + "".join(f"<p class=paragraph>Paragraph {n} of the report on the ferries of the town.</p>" for n in range(12))
    + "<aside class=related><p>Another story</p></aside></article><footer><p>Imprint</p></footer>"
)
TRIAL = [same_of_all(0.01)] * 5


@given(st.integers(min_value=1, max_value=6), st.integers(min_value=0, max_value=40))
@settings(max_examples=25, deadline=None)
def test_a_variant_has_lines_of_its_page_in_their_order_with_their_labels(copies: int, before: int) -> None:
    first = example("<p>Something short.</p>" * before + PAGE)
    assert first.page is not None
    lines = [block.text for block in first.page.blocks]
    label_of = dict(zip(lines, first.labels.tolist(), strict=True))
    for one in with_variants([first], TRIAL, copies)[1:]:
        assert one.page is not None
        texts = [block.text for block in one.page.blocks]
        rest = iter(lines)
        assert all(text in rest for text in texts)
        assert one.labels.tolist() == [label_of[text] for text in texts]
        assert one.labels.any()
        assert one.rows.shape == (len(texts), len(FEATURES))
        assert np.isfinite(one.rows).all()


def test_the_pages_themselves_come_first_and_unchanged() -> None:
    first = example(PAGE)
    assert with_variants([first], TRIAL, 0) == [first]
    assert with_variants([first], TRIAL, 3)[0] is first


def test_the_same_pages_have_the_same_variants() -> None:
    once, again = (with_variants([example(PAGE)] * 2, TRIAL, 3) for _ in range(2))
    assert len(once) == len(again) > 2
    for one, other in zip(once, again, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.weights, other.weights)


@pytest.mark.parametrize(("chance", "thinned"), [(0.01, True), (0.5, False)])
def test_only_lines_that_the_trial_was_sure_of_are_left_out(chance: float, thinned: bool) -> None:
    first = example(PAGE)
    variants = with_variants([first], [same_of_all(chance)] * 5, 20)[1:]
    clutter = np.concatenate([one.weights[~one.labels] for one in variants])
    article = np.concatenate([one.weights[one.labels] for one in variants])
    assert (article > 0).all()
    assert bool((clutter == 0).any()) is thinned
    assert bool(clutter[clutter > 0].min() >= EASY_WEIGHT * WEIGHT) is thinned


def test_lines_without_weight_are_not_trained_on() -> None:
    first = example(PAGE)
    first.weights[::2] = 0.0
    (left,) = weighed([first])
    assert len(left.rows) == len(left.labels) == len(left.weights) == len(first.rows) // 2
    assert (left.weights > 0).all()
