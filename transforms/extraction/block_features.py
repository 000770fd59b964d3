"""Blocks of a page in numbers: the line, its markup, its container's share of the page, its neighbours."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from transforms.boilerplate.line_features import (
    LINE_FEATURES,
    Floats,
    lead_overlap,
    line_features,
    shifted,
    window_mean,
    words_of,
)
from transforms.extraction.blocks import CLASS_GROUPS, CONTEXT_TAGS, Block, Outline

_TAGS = ("p", "div", "li", "h1", "h2", "h3", "h4", "td", "figcaption", "blockquote", "section", "span", "pre", "dd")
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
    "in_json_body",
    "json_body_known",
    "lead_overlap",
    "lead_overlap~4",
)
FEATURES = (
    LINE_FEATURES
    + MARKUP_FEATURES
    + PLACE_FEATURES
    + tuple(f"{name}@{by:+d}" for by in _NEIGHBOURS for name in (*_SEEN_BY_NEIGHBOURS, "same"))
    + tuple(f"{name}~{reach}" for reach in (3, 8) for name in ("prose", "link_share"))
)


def _bits(values: list[int], width: int) -> Floats:
    array = np.array(values, dtype=np.int64)[:, None]
    return ((array >> np.arange(width)) & 1).astype(np.float32)


def _json_share(blocks: list[Block], body: str) -> Floats:
    """How much of each block's words in sequence (pairs) stands in the JSON-LD article body."""
    out = np.zeros(len(blocks), dtype=np.float32)
    if not body:
        return out
    words = words_of(body)
    pairs = set(pairwise(words))
    for place, block in enumerate(blocks):
        own = words_of(block.text)
        if len(own) > 1:
            mine = list(pairwise(own))
            out[place] = sum(pair in pairs for pair in mine) / len(mine)
    return out


def chains_of(page: Outline) -> list[tuple[int, ...]]:
    """For each block the boxes around it, inner first, without those that hold nothing more than the one inside."""
    parents = page.parents
    held = [0] * len(parents)
    for block in page.blocks:
        held[block.container] += 1
    for container in range(len(parents) - 1, 0, -1):
        held[parents[container]] += held[container]
    known: dict[int, tuple[int, ...]] = {0: (0,)}

    def chain(container: int) -> tuple[int, ...]:
        steps = []
        while container not in known:
            steps.append(container)
            container = parents[container]
        out = known[container]
        for step in reversed(steps):
            # A wrapper around the same blocks says nothing: its place is taken by the one inside.
            out = (step, *(out[1:] if held[step] == held[out[0]] else out))
            known[step] = out
        return out

    return [chain(block.container) for block in page.blocks]


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


def _reach(chains: list[tuple[int, ...]], to: tuple[int, ...]) -> Floats:
    """Steps from each block, and from the box `to`, up to the first box that holds both."""
    ups = {container: up for up, container in enumerate(to)}
    out = np.zeros((len(chains), 2), dtype=np.float32)
    for place, chain in enumerate(chains):
        for up, container in enumerate(chain):
            if container in ups:
                out[place] = (up, ups[container])
                break
    return out


def _full(parents: list[int], container: int) -> set[int]:
    out = {container}
    while parents[container] != container:
        container = parents[container]
        out.add(container)
    return out


def block_features(page: Outline, title: str, description: str, json_body: str) -> Floats:
    """One row of `FEATURES` for each block."""
    blocks = page.blocks
    count = len(blocks)
    if not count:
        return np.zeros((0, len(FEATURES)), dtype=np.float32)
    line, vocabularies = line_features([block.text for block in blocks], title, description)
    column = dict(zip(LINE_FEATURES, line.T, strict=True))
    chars = np.array([len(block.text) for block in blocks], dtype=np.float32)
    link_share = np.minimum(1.0, np.array([block.link_chars for block in blocks], dtype=np.float32) / chars)
    strong_share = np.minimum(1.0, np.array([block.strong_chars for block in blocks], dtype=np.float32) / chars)
    numbers = np.array([_TAG_NUMBER.get(block.tag, -1) for block in blocks])
    tags = (numbers[:, None] == np.arange(len(_TAGS))).astype(np.float32)

    # Prose: characters outside links, in blocks long enough to hold a sentence.
    prose = np.where((chars > 60) & (column["enders"] > 0), chars * (1 - link_share), 0.0).astype(np.float32)
    total = max(1.0, float(prose.sum()))
    chains = chains_of(page)
    mass = np.zeros(len(page.parents), dtype=np.float64)
    members = np.zeros(len(page.parents), dtype=np.float64)
    direct = np.zeros(len(page.parents), dtype=np.float64)
    for chain, weight in zip(chains, prose.tolist(), strict=True):
        # A paragraph speaks for the boxes near it: half for each level up, as readability scores do.
        for up, container in enumerate(chain[:6]):
            mass[container] += weight * (0.3 if up == 0 else 1.0 if up == 1 else 0.5 ** (up - 1))
            members[container] += 1
            direct[container] += weight
    best = int(mass.argmax())
    best_chain = next((chain[chain.index(best) :] for chain in chains if best in chain), (0,))
    under = np.array(
        [[direct[chain[min(up, len(chain) - 1)]] for up in (1, 2, 3)] for chain in chains], dtype=np.float32
    ) / np.float32(total)
    above = np.array([chain[min(1, len(chain) - 1)] for chain in chains])
    lead = [place for place in np.flatnonzero(prose > 0).tolist() if best in chains[place]][:6]
    overlap = lead_overlap(vocabularies, lead, title)
    trunk = _full(page.parents, best)
    branch_classes, branch_tags, branch_length = _branch(page, trunk)
    heading = tags[:, 3:7].sum(axis=1) > 0
    titled = (column["title_in_line"] > 0.7) & (column["line_in_title"] > 0.5)
    first_title = _first_title(titled, tags[:, 3] > 0)
    title_reach = _reach(chains, chains[first_title]) if first_title >= 0 else np.full((count, 2), -1.0)
    same_previous = np.concatenate(([0], above[1:] == above[:-1])).astype(np.float32)
    same_next = np.concatenate((above[1:] == above[:-1], [0])).astype(np.float32)
    before = np.cumsum(prose) - prose
    order = np.arange(count)
    from_title = np.clip(order - first_title, -50, 50) if first_title >= 0 else np.full(count, 99)
    containers = [block.container for block in blocks]
    markup = np.column_stack(
        (
            tags,
            _bits([block.context for block in blocks], len(CONTEXT_TAGS)),
            _bits([block.own for block in blocks], len(CLASS_GROUPS)),
            _bits([page.classes[box] for box in above.tolist()], len(CLASS_GROUPS)),
            _bits([branch_classes[box] for box in containers], len(CLASS_GROUPS)),
            _bits([branch_tags[box] for box in containers], len(CONTEXT_TAGS)),
            _bits([block.item for block in blocks], 6),
            np.log1p([block.links for block in blocks]),
            link_share,
            strong_share,
            [block.depth for block in blocks],
            [block.hidden for block in blocks],
            [block.after_break for block in blocks],
        )
    )
    placed = np.column_stack(
        (
            order / count,
            np.full(count, np.log1p(count)),
            before / total,
            (total - before - prose) / total,
            np.full(count, np.log1p(total)),
            under,
            _reach(chains, best_chain),
            title_reach,
            [branch_length[box] for box in containers],
            same_previous,
            same_next,
            np.log1p(members[above]),
            np.minimum(_since(heading), 30),
            (order > first_title) * float(first_title >= 0),
            from_title,
            _json_share(blocks, json_body),
            np.full(count, float(bool(json_body))),
            overlap,
            window_mean(overlap, 4),
        )
    )
    look = {**column, "link_share": link_share, "tag_p": tags[:, 0]}
    around: list[NDArray[np.float32]] = []
    boxes = above.astype(np.float32)
    for by in _NEIGHBOURS:
        around += [shifted(look[name], by, -1.0) for name in _SEEN_BY_NEIGHBOURS]
        around.append((shifted(boxes, by, -1.0) == boxes).astype(np.float32))
    density = np.log1p(prose)
    for window in (3, 8):
        around += [window_mean(density, window), window_mean(link_share, window)]
    return np.column_stack((line, markup, placed, *around)).astype(np.float32)


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
