"""Boxes around blocks: how far two of them stand apart in the page."""

from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.block_features import boxes_of
from newsbeam.transforms.extraction.html.blocks import Block, Outline, outline


def page_of(parents: list[int], holders: list[int]) -> Outline:
    blocks = [Block("x", "p", 0, 0, 0, 0, container, 0, 0, 0, False, False) for container in holders]
    return Outline(blocks, parents, [0] * len(parents), [0] * len(parents), False)


def way_up(outer: list[int], box: int) -> list[int]:
    """A box, the one around it, ... up to the outermost."""
    way = [box]
    while outer[way[-1]] != way[-1]:
        way.append(outer[way[-1]])
    return way


@st.composite
def pages(draw: st.DrawFn) -> Outline:
    count = draw(st.integers(1, 12))
    parents = [0] + [draw(st.integers(0, container - 1)) for container in range(1, count)]
    return page_of(parents, draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=12)))


@settings(max_examples=200, deadline=None)
@given(pages())
def test_steps_are_counted_to_the_first_box_around_both(page: Outline) -> None:
    boxes = boxes_of(page)
    outer = boxes.outer.tolist()
    for box in sorted({block.container for block in page.blocks}):
        below, above = boxes.reach(box).tolist()
        for place, block in enumerate(page.blocks):
            ours, theirs = way_up(outer, block.container), way_up(outer, box)
            assert boxes.up(0)[place] == block.container
            assert boxes.up(2)[place] == ours[min(2, len(ours) - 1)]
            common = next((one for one in ours if one in theirs), ours[-1])
            steps = theirs.index(common) if common in theirs else 0
            assert (below[place], above[place]) == (ours.index(common), steps)


def test_a_wrapper_around_the_same_blocks_is_no_box() -> None:
    page = outline(parse("<body><div><div><p>one</p><p>two</p></div></div><p>three</p></body>", "a page"))
    one, two, three = (block.container for block in page.blocks)
    inner = page.parents[one]
    boxes = boxes_of(page)
    assert boxes.up(1).tolist() == [inner, inner, page.parents[three]]
    assert boxes.up(2).tolist() == [page.parents[three]] * 3
    assert two != one
