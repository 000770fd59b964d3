"""One walk over a parsed page: its visible text as blocks, each with what the markup says about it.

A block is a run of text between two block boundaries (a paragraph, a heading, a list item, a row of data, a caption).
The walk keeps what the line model wants to know of its place: tags and class words of its ancestors, links, emphasis,
containers.
"""

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from newsbeam.transforms.extraction.html.class_words import group_bits

# Elements whose text no reader sees, or that hold controls only.
_SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "button",
        "select",
        "option",
        "input",
        "textarea",
        "head",
        "object",
        "embed",
        "canvas",
        "map",
        "audio",
        "video",
        "math",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "title",
        "datalist",
        "progress",
        "meter",
        "frame",
        "frameset",
        "noframes",
        "applet",
        "dialog",
    ]
)
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "q",
        "rb",
        "rp",
        "rt",
        "rtc",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "picture",
    ]
)
_STRONG = frozenset(("b", "strong", "em", "i"))
_CELLS = frozenset(("td", "th"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

# Context bits from the tags of ancestors.
CONTEXT_TAGS = (
    "article",
    "main",
    "section",
    "aside",
    "header",
    "footer",
    "nav",
    "ul",
    "ol",
    "table",
    "figure",
    "form",
    "blockquote",
    "dl",
    "details",
    "figcaption",
    "p",
    "a",
)
_CONTEXT_BIT = {tag: 1 << surroundings for surroundings, tag in enumerate(CONTEXT_TAGS)}

# The class that hides an element (Tailwind, Bootstrap), unless another shows it again on larger screens.
_HIDDEN = re.compile(
    r"^(?!.*:(?:block|flex|grid|inline))(?:.*\s)?(?:hidden|d-none|visually-hidden|sr-only)(?:\s|$)", re.S
)

ITEM_BODY, ITEM_HEADLINE, ITEM_AUTHOR, ITEM_DATE, ITEM_DESCRIPTION, ITEM_CAPTION = (1 << n for n in range(6))
_ITEM_BITS = {
    "articlebody": ITEM_BODY,
    "text": ITEM_BODY,
    "reviewbody": ITEM_BODY,
    "headline": ITEM_HEADLINE,
    "name": ITEM_HEADLINE,
    "author": ITEM_AUTHOR,
    "creator": ITEM_AUTHOR,
    "datepublished": ITEM_DATE,
    "datemodified": ITEM_DATE,
    "description": ITEM_DESCRIPTION,
    "alternativeheadline": ITEM_DESCRIPTION,
    "caption": ITEM_CAPTION,
}

# tag, depth, container, context bits, own class bits, itemprop bits, hidden
Place = tuple[str, int, int, int, int, int, bool]

MAX_DEPTH = 180
_LONGEST_LABEL = 1_000
"""Characters within a button that may be its own."""
MAX_BLOCKS = 20_000
MAX_NAMES = 400
"""Characters of class and id that are looked at."""


@dataclass(slots=True)
class Block:
    """A run of visible text and its place in the page."""

    text: str
    tag: str
    """Of the nearest block element."""
    links: int
    link_chars: int
    strong_chars: int
    depth: int
    container: int
    """Number of its block element; see `Outline.parents`."""
    context: int
    """Bits of `CONTEXT_TAGS` for all ancestors."""
    own: int
    """Bits of `CLASS_GROUPS` for its element."""
    item: int
    """Bits of schema.org `itemprop` of its ancestors."""
    hidden: bool
    after_break: bool
    """It follows a `<br>` in the same element."""


@dataclass(slots=True)
class Outline:
    """A page as its blocks, in reading order."""

    blocks: list[Block]
    parents: list[int]
    """Number of a container with text -> that of the one around it, always smaller; the outermost points to itself."""
    classes: list[int]
    """Container number -> bits of `CLASS_GROUPS` for its own class and id."""
    tags: list[int]
    """Container number -> bit of `CONTEXT_TAGS` for its own tag."""
    truncated: bool


class _Walk:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.parents: list[int] = [0]
        self.classes: list[int] = [0]
        self.tags: list[int] = [0]
        self.pieces: list[str] = []
        self.links = 0
        self.link_chars = 0
        self.strong_chars = 0
        self.truncated = False
        self.broken = False

    def flush(self, surroundings: Place) -> None:
        """Ends a run of text."""
        pieces = self.pieces
        if pieces:
            text = " ".join("".join(pieces).split())
            pieces.clear()
            if text:
                if len(self.blocks) < MAX_BLOCKS:
                    tag, depth, container, context, own, item, hidden = surroundings
                    self.blocks.append(
                        Block(
                            text, tag, self.links, self.link_chars, self.strong_chars, depth, container, context, own,
                            item, hidden, self.broken,
                        )
                    )  # fmt: skip
                else:
                    self.truncated = True
        self.links = self.link_chars = self.strong_chars = 0
        self.broken = False

    def inside(
        self, element: HtmlElement, surroundings: Place, depth: int, in_link: bool, strong: bool, emphasis: bool
    ) -> None:
        """All text of an element; a block in it, or in an inline element (a paragraph in a link), ends a run.

        Args:
            strong: the element's own text counts as strong; `emphasis`: that of inline elements in it does.
        """
        pieces = self.pieces
        text = element.text
        if text:
            # White space before a run of text says nothing, and most of it stands before none.
            if pieces or not text.isspace():
                pieces.append(text)
            if in_link:
                self.link_chars += len(text)
            if strong:
                self.strong_chars += len(text)
        # All children at once: asking for one after the other takes three times as long.
        for child in element[:]:
            tag = child.tag
            if tag in _INLINE:
                link = tag == "a"
                if link:
                    self.links += 1
                if depth < MAX_DEPTH:
                    bold = emphasis or tag in _STRONG
                    self.inside(child, surroundings, depth + 1, in_link or link, bold, bold)
                else:
                    self.truncated = True
            elif tag == "br":
                self.flush(surroundings)
                self.broken = True
            elif (tag not in _SKIPPED and type(tag) is str) or (tag == "button" and _is_unclosed(child)):
                self.flush(surroundings)
                if depth < MAX_DEPTH:
                    self.block(child, surroundings, depth + 1, in_link)
                else:
                    self.truncated = True
            tail = child.tail
            if tail:
                if pieces or not tail.isspace():
                    pieces.append(tail)
                if in_link:
                    self.link_chars += len(tail)
                if strong:
                    self.strong_chars += len(tail)

    def block(self, element: HtmlElement, outer: Place, depth: int, in_link: bool = False) -> None:
        """A block element and all in it; a container that turns out to hold no text has no number."""
        _, _, container, context, _, item, hidden = outer
        tag = element.tag
        names = identity = ""
        for name, value in element.items():
            if name == "class":
                names = value
            elif name == "id":
                identity = value
            elif name == "style":
                hidden = hidden or ("display" in value and "none" in value)
            elif name == "itemprop":
                item |= _ITEM_BITS.get(value.lower(), 0)
            elif name == "hidden":
                hidden = True
        here = 0
        if names or identity:
            names = (f"{names} {identity}" if identity else names)[:MAX_NAMES]
            here = group_bits(names)
            if "hidden" in names and _HIDDEN.search(names):
                hidden = True
        kind = _CONTEXT_BIT.get(tag, 0)
        parents = self.parents
        before = len(parents)
        parents.append(container)
        self.classes.append(here)
        self.tags.append(kind)
        surroundings = (tag, depth, before, context | kind, here, item, hidden)
        blocks = len(self.blocks)
        if tag == "tr" and _is_record(element):
            for cell in element[:]:
                self.inside(cell, surroundings, depth + 1, in_link, False, False)
                self.pieces.append(" ")
        else:
            self.inside(element, surroundings, depth, in_link, False, tag in _HEADINGS)
        self.flush(surroundings)
        if len(self.blocks) == blocks:
            del parents[before:], self.classes[before:], self.tags[before:]


def _is_unclosed(button: HtmlElement) -> bool:
    """Whether a button has swallowed the page behind it: HTML closes it at the next one, libxml2 at the very end."""
    return button.find(".//p") is not None and len(button.text_content()) > _LONGEST_LABEL


def _is_record(row: HtmlElement) -> bool:
    """Whether a row of a table is one of data, to be read as a line: cells of inline text, and no layout of boxes."""
    cells = row[:]
    if len(cells) < 2 or not all(cell.tag in _CELLS for cell in cells):
        return False
    return all(element.tag in _INLINE for cell in cells for element in cell.iterdescendants())


def outline(tree: HtmlElement) -> Outline:
    """The blocks of a parsed page, in reading order; text that no reader sees is left out."""
    body = tree.find("body") if tree.tag == "html" else tree
    if body is None:
        body = tree
    walk = _Walk()
    walk.block(body, ("body", 0, 0, 0, 0, 0, False), 0)
    return Outline(walk.blocks, walk.parents, walk.classes, walk.tags, walk.truncated)
