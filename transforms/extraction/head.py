"""The metadata elements of a page: `meta`, `link`, `title`, and the language of `html`."""

from dataclasses import dataclass
from html import unescape

from lxml.html import HtmlElement


@dataclass(frozen=True)
class Head:
    """`meta` values by lower-case name (first one wins), repeated ones in `many`, links by `rel`."""

    meta: dict[str, str]
    many: dict[str, tuple[str, ...]]
    links: dict[str, str]
    title: str
    language: str


def read_head(tree: HtmlElement) -> Head:
    """The metadata elements of a page, wherever in it they stand."""
    many: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        get = element.get
        name = get("property") or get("name") or get("itemprop") or get("http-equiv")
        content = get("content")
        if name and content and len(many) < 400:
            value = unescape(content) if "&" in content else content
            many.setdefault(name.strip().lower(), []).append(" ".join(value[:5000].split()))
    links: dict[str, str] = {}
    for element in tree.iter("link"):
        rel, href = element.get("rel"), element.get("href")
        if rel and href:
            for part in rel.lower().split():
                links.setdefault(part, href.strip())
    found = next(tree.iter("title"), None)
    title = " ".join(unescape("".join(found.itertext())).split()) if found is not None else ""
    return Head(
        meta={name: values[0] for name, values in many.items()},
        many={name: tuple(values) for name, values in many.items()},
        links=links,
        title=title,
        language=(tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip(),
    )
