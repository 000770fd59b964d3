"""Blocks of a page in numbers: the line, its markup, its container's share of the page, its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.boilerplate.patterns import patterns
from newsbeam.transforms.extraction.html.blocks import CONTEXT_TAGS, Block, Outline
from newsbeam.transforms.extraction.html.class_words import CLASS_BIT, CLASS_GROUPS
from newsbeam.transforms.text.characters import Ints
from newsbeam.transforms.text.line_features import (
    LINE_FEATURES,
    SITE_WORD_GROUPS,
    Floats,
    line_features,
    window_mean,
)
from newsbeam.transforms.text.line_words import LineWords, words_of

_TAGS = ("p", "div", "li", "h1", "h2", "h3", "h4", "td", "tr", "figcaption", "blockquote", "section", "pre", "dd")
_TAG_NUMBER = {tag: number for number, tag in enumerate(_TAGS)}
_NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
_SEEN_BY_NEIGHBOURS = ("log_chars", "ends_terminal", "link_share", "tag_p", "title_in_line", "date", "enders")

MARKUP_FEATURES = (
    *(f"tag_{tag}" for tag in _TAGS),
    *(f"in_{tag}" for tag in CONTEXT_TAGS),
    *(f"own_{name}" for name, _ in CLASS_GROUPS),
    *(f"above_{name}" for name, _ in CLASS_GROUPS),
    *(f"branch_{name}" for name, _ in CLASS_GROUPS),
    *(f"branch_in_{tag}" for tag in CONTEXT_TAGS),
    *(f"item_{place}" for place in range(6)),
    "links",
    "link_share",
    "strong_share",
    "depth",
    "hidden",
    "after_break",
)
PLACE_FEATURES = (
    "place",
    "blocks",
    "prose_before",
    "prose_after",
    "page_prose",
    "container_prose",
    "above_prose",
    "above2_prose",
    "distance_to_best",
    "depth_to_best",
    "distance_to_title",
    "depth_to_title",
    "branch_length",
    "same_as_previous",
    "same_as_next",
    "siblings",
    "after_heading",
    "title_heading_seen",
    "from_title_heading",
    "in_stated",
    "stated_share",
    "lead_overlap",
    "lead_overlap~4",
    "site_words",
    "site_words~2",
    "site_words_box",
    "site_name",
    "site_name_box",
    "lead_overlap_box",
    "title_overlap_box",
    "copies_before",
    "titles_like_before",
    "bylines_since",
    "articles",
    "article_of_title",
    "article_prose",
    "heading_links",
    "heading_tag",
    "heading_overlap",
    "heading_teasers",
)
FEATURES = (
    LINE_FEATURES
    + MARKUP_FEATURES
    + PLACE_FEATURES
    + tuple(f"{name}@{by:+d}" for by in _NEIGHBOURS for name in (*_SEEN_BY_NEIGHBOURS, "same"))
    + tuple(f"{name}~{reach}" for reach in (3, 8) for name in ("prose", "link_share"))
)


@dataclass(frozen=True)
class Boxes:
    """The containers of a page without those that hold nothing more than the one inside.

    A wrapper around the same blocks says nothing: its place is taken by the one inside.
    """

    outer: Ints
    """For each container the one around it that holds more; itself for the outermost. Always a number as small."""
    chain: Ints
    """For each block its container, the box around that, ... up to the outermost: `steps x blocks`."""

    def up(self, steps: int) -> Ints:
        """For each block the box so many steps around its container, or the outermost."""
        boxes: Ints = self.chain[min(steps, len(self.chain) - 1)]
        return boxes

    def reach(self, box: int) -> Ints:
        """Steps from each block, and from a box, up to the first box that holds both: `2 x blocks`.

        The box needs none for the blocks in it.
        """
        ups = np.full(len(self.outer), -1)
        ups[self.chain[-1]] = 0
        ups[box] = steps = 0
        while (around := self.outer[box]) != box:
            box = around
            steps += 1
            ups[box] = steps
        found = ups[self.chain]
        below = (found < 0).sum(axis=0)
        return np.array((below, found[below, np.arange(len(below))]))


def boxes_of(page: Outline) -> Boxes:
    """The boxes of a page; its containers are numbered from the outermost inwards."""
    parents = page.parents
    own = np.array([block.container for block in page.blocks], dtype=np.int64)
    held = np.bincount(own, minlength=len(parents)).tolist()
    for container in range(len(parents) - 1, 0, -1):
        held[parents[container]] += held[container]
    outer = [0]
    for parent, holds in zip(parents[1:], held[1:], strict=True):
        around = outer[parent] if holds == held[parent] else parent
        # Around the outermost of these wrappers there is nothing: the one inside is the outermost now.
        outer.append(len(outer) if held[around] == holds else around)
    around_each = np.array(outer)
    chain = [own]
    while (beyond := around_each[chain[-1]]).tobytes() != chain[-1].tobytes():
        chain.append(beyond)
    return Boxes(around_each, np.array(chain))


def _bits(values: Ints, width: int) -> NDArray[np.uint8]:
    """One row for each bit."""
    low_first = values.astype("<i8").view(np.uint8).reshape(len(values), 8)
    return np.unpackbits(low_first, axis=1, count=width, bitorder="little").T


def _branch(page: Outline, trunk: set[int]) -> tuple[list[int], list[int], list[int]]:
    """For each container the class and tag bits of the boxes between it and the trunk, and how many they are."""
    classes, tags, length = [0] * len(page.parents), [0] * len(page.parents), [0] * len(page.parents)
    for container in range(1, len(page.parents)):
        if container not in trunk:
            parent = page.parents[container]
            classes[container] = classes[parent] | page.classes[container]
            tags[container] = tags[parent] | page.tags[container]
            length[container] = length[parent] + 1
    return classes, tags, length


def _full(parents: list[int], container: int) -> set[int]:
    out = {container}
    while parents[container] != container:
        container = parents[container]
        out.add(container)
    return out


def block_features(page: Outline, title: str, description: str, stated: str, site: str) -> Floats:
    # long because each feature is computed once, in the order in which the models know them
    """One row of `FEATURES` for each block, given what the page says of its title, text and site (all may be empty)."""
    blocks = page.blocks
    count = len(blocks)
    table = np.zeros((len(FEATURES), count), dtype=np.float32)
    if not count:
        return table.T
    texts = [block.text for block in blocks]
    line, words = line_features(texts, title, description)
    column = dict(zip(LINE_FEATURES, line.T, strict=True))
    chars = np.fromiter(map(len, texts), dtype=np.float32, count=count)
    link_share = np.minimum(1.0, _of_each(blocks, "link_chars").astype(np.float32) / chars)
    strong_share = np.minimum(1.0, _of_each(blocks, "strong_chars").astype(np.float32) / chars)
    own = _of_each(blocks, "own")
    numbers = np.array([_TAG_NUMBER.get(block.tag, -1) for block in blocks])
    tags = numbers == np.arange(len(_TAGS))[:, None]

    # Prose: characters outside links, in blocks long enough to hold a sentence.
    prose = np.where((chars > 60) & (column["enders"] > 0), chars * (1 - link_share), 0.0).astype(np.float32)
    total = max(1.0, float(prose.sum()))
    boxes = boxes_of(page)
    outer = boxes.outer
    mass, members, direct = np.zeros((3, len(outer)))
    at, weight, one = boxes.chain[0], prose.astype(np.float64), np.ones(count)
    for up in range(6):
        # A paragraph speaks for the boxes near it: half for each level up, as readability scores do.
        mass += np.bincount(at, weight * (0.3 if up == 0 else 1.0 if up == 1 else 0.5 ** (up - 1)), len(outer))
        members += np.bincount(at, one, len(outer))
        direct += np.bincount(at, weight, len(outer))
        beyond = outer[at]
        on = beyond != at
        at, weight, one = beyond[on], weight[on], one[on]
    best = int(mass.argmax())
    reach = boxes.reach(best)
    in_best = reach[1] == 0
    above = boxes.up(1)
    under = [direct[boxes.up(up)] / total for up in (1, 2, 3)]
    overlap = words.lead_overlap(np.flatnonzero((prose > 0) & in_best)[:6].tolist(), title)
    in_stated = words.pairs_in(stated) if stated else np.zeros(count, dtype=np.float32)
    trunk = _full(page.parents, best)
    branch_classes, branch_tags, branch_length = _branch(page, trunk)
    heading = tags[3:7].any(axis=0)
    titled = (column["title_in_line"] > 0.7) & (column["line_in_title"] > 0.5)
    first_title = _first_title(titled, tags[3])
    title_reach = boxes.reach(blocks[first_title].container) if first_title >= 0 else np.full((2, count), -1.0)
    same = above[1:] == above[:-1]
    before = np.cumsum(prose) - prose
    order = np.arange(count)
    from_title = np.clip(order - first_title, -50, 50) if first_title >= 0 else np.full(count, 99)
    classes = np.array(page.classes, dtype=np.int64)
    # Each a row, or several.
    parts: list[NDArray[Any] | Sequence[float] | float] = [
        line.T,
        tags,
        _bits(_of_each(blocks, "context"), len(CONTEXT_TAGS)),
        _bits(own, len(CLASS_GROUPS)),
        _bits(classes[above], len(CLASS_GROUPS)),
        _bits(np.array(branch_classes)[boxes.up(0)], len(CLASS_GROUPS)),
        _bits(np.array(branch_tags)[boxes.up(0)], len(CONTEXT_TAGS)),
        _bits(_of_each(blocks, "item"), 6),
        np.log1p(_of_each(blocks, "links")),
        link_share,
        strong_share,
        _of_each(blocks, "depth"),
        _of_each(blocks, "hidden"),
        _of_each(blocks, "after_break"),
        order / count,
        np.log1p(count),
        before / total,
        (total - before - prose) / total,
        np.log1p(total),
        *under,
        reach,
        title_reach,
        np.array(branch_length)[boxes.up(0)],
        np.concatenate(([False], same)),
        np.concatenate((same, [False])),
        np.log1p(members[above]),
        np.minimum(_since(heading), 30),
        (order > first_title) & (first_title >= 0),
        from_title,
        in_stated,
        float((in_stated * prose).sum()) / total,
        overlap,
        window_mean(overlap, 4),
        *_of_the_site(words, line, above, chars, site),
        _mean_of_box(overlap, above, chars),
        _mean_of_box(column["title_in_line"], above, chars),
        _copies_before(texts),
        _alike_before(page, own, first_title),
        _bylines_since(own, chars, prose),
        *_of_articles(page, first_title, prose / total),
        *_of_heading(blocks, heading, link_share, numbers, overlap),
    ]
    row = 0
    for part in parts:
        end = row + (len(part) if isinstance(part, np.ndarray) and part.ndim > 1 else 1)
        table[row:end] = part
        row = end
    look = np.stack([{**column, "link_share": link_share, "tag_p": tags[0]}[name] for name in _SEEN_BY_NEIGHBOURS])
    for by in _NEIGHBOURS:
        here, there = (slice(None, -by), slice(by, None)) if by > 0 else (slice(-by, None), slice(None, by))
        table[row : row + len(look)] = -1.0
        table[row : row + len(look), here] = look[:, there]
        row += len(look)
        table[row, here] = above[there] == above[here]
        row += 1
    density = np.log1p(prose)
    for window in (3, 8):
        table[row : row + 2] = window_mean(density, window), window_mean(link_share, window)
        row += 2
    return table.T


def _mean_of_box(values: Floats, boxes: Ints, chars: Floats) -> Floats:
    """The mean of a column over all blocks in the same box, by their length."""
    sums = np.bincount(boxes, values * chars) / np.maximum(1.0, np.bincount(boxes, chars))
    means: Floats = sums[boxes].astype(np.float32)
    return means


def _of_the_site(words: LineWords, line: Floats, boxes: Ints, chars: Floats, site: str) -> list[Floats]:
    """How much a line and those around it speak of the site itself: an appeal, terms of use, a consent dialog."""
    shares: Floats = line[:, [LINE_FEATURES.index(f"words_{group}") for group in SITE_WORD_GROUPS]].sum(axis=1)
    named = words.shared(words.flags(word for word in words_of(site) if len(word) > 3)) > 0
    name = named.astype(np.float32)
    return [shares, window_mean(shares, 2), _mean_of_box(shares, boxes, chars), name, _mean_of_box(name, boxes, chars)]


def _copies_before(texts: Sequence[str]) -> Ints:
    """How often each line has stood on the page before."""
    seen: dict[str, int] = {}
    out = []
    for text in texts:
        before = seen.get(text, 0)
        seen[text] = before + 1
        out.append(before)
    return np.array(out)


def _of_each(blocks: Sequence[Block], name: str) -> Ints:
    """One number of every block."""
    return np.fromiter(map(attrgetter(name), blocks), dtype=np.int64, count=len(blocks))


def _alike_before(page: Outline, own: Ints, first_title: int) -> NDArray[Any] | float:
    """How many blocks up to here look like the headline, it not counted: each opens another story."""
    if first_title < 0:
        return 0.0
    title = page.blocks[first_title]
    like = own == title.own
    like[: first_title + 1] = False
    for place in np.flatnonzero(like).tolist():
        one = page.blocks[place]
        like[place] = one.tag == title.tag and one.depth == title.depth
    before: NDArray[np.int64] = np.minimum(np.cumsum(like), 20)
    return before


def _bylines_since(own: Ints, chars: Floats, prose: Floats) -> NDArray[Any]:
    """How many short lines named as bylines or dates stand between the first paragraph and here."""
    wanted = CLASS_BIT["meta"] | CLASS_BIT["date"]
    like = ((own & wanted) != 0) & (chars < 100)
    first = int(np.argmax(prose > 0))
    like[: first + 1] = False
    since: NDArray[np.int64] = np.minimum(np.cumsum(like), 20)
    return since


def _of_articles(page: Outline, first_title: int, prose: Floats) -> list[NDArray[Any] | float]:
    """Elements `article`: how many the page has, whether the block's is the headline's, its share of all prose."""
    bit = 1 << CONTEXT_TAGS.index("article")
    nearest = [0] * len(page.parents)
    for container in range(1, len(nearest)):
        nearest[container] = container if page.tags[container] & bit else nearest[page.parents[container]]
    own = np.array([nearest[block.container] for block in page.blocks])
    mass = np.bincount(own, prose)
    same = (own == own[first_title]) * 1.0 if first_title >= 0 else np.full(len(own), -1.0)
    return [
        np.log1p(len(set(own.tolist()) - {0})),
        np.where(own == 0, -same, same),
        np.where(own == 0, -1.0, mass[own]),
    ]


def _of_heading(
    blocks: Sequence[Block], heading: NDArray[np.bool_], link_share: Floats, tags: NDArray[Any], overlap: Floats
) -> list[NDArray[Any]]:
    """The heading above each block: its links, its tag, its words of the story's opening, whether it opens teasers."""
    places = np.flatnonzero(heading)
    known = patterns()
    opens = [known.opens_teasers(blocks[place].text) for place in places.tolist()]
    table = np.vstack(
        (
            np.concatenate(([-1.0], link_share[places])),
            np.concatenate(([-1.0], tags[places])),
            np.concatenate(([-1.0], overlap[places])),
            np.concatenate(([-1.0], np.array(opens, dtype=np.float64))),
        )
    )
    return list(table[:, np.cumsum(heading)])


def _since(flags: NDArray[np.bool_]) -> Floats:
    """How many blocks ago a flag was last set; 99 before the first."""
    order = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, order, -99))
    ago: Floats = (order - last).astype(np.float32)
    return ago


def _first_title(titled: NDArray[np.bool_], is_h1: NDArray[np.bool_]) -> int:
    for flags in (titled & is_h1, is_h1, titled):
        found = np.flatnonzero(flags)
        if len(found):
            return int(found[0])
    return -1
