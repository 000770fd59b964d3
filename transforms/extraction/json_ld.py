"""What a page says of itself in JSON-LD (schema.org): one article, chosen among all that is described there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any, Optional

from lxml.html import HtmlElement

_ARTICLE_TYPES = {
    "newsarticle": 4,
    "reportagenewsarticle": 4,
    "analysisnewsarticle": 4,
    "opinionnewsarticle": 4,
    "backgroundnewsarticle": 4,
    "reviewnewsarticle": 4,
    "askpublicnewsarticle": 4,
    "satiricalarticle": 4,
    "advertisercontentarticle": 4,
    "liveblogposting": 4,
    "article": 4,
    "blogposting": 3,
    "report": 3,
    "techarticle": 3,
    "scholarlyarticle": 3,
    "socialmediaposting": 2,
    "discussionforumposting": 2,
    "review": 2,
    "recipe": 2,
    "webpage": 1,
    "itempage": 1,
    "newsmediaorganization": 0,
}
MAX_CHARS = 2_000_000
MAX_NODES = 4_000
_COMMENT = re.compile(
    r"^(?:<!--|/\*\s{0,20}<!\[CDATA\[\s{0,20}\*/|//\s{0,20}<!\[CDATA\[|<!\[CDATA\[)"
    r"|(?:-->|//\s{0,20}\]\]>|\]\]>)\s{0,20};?$"
)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_BREAK = re.compile(r"\n|</p>|<br ?/?>|</h\d>|</li>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,500}>")


@dataclass(frozen=True)
class Described:
    """The article that JSON-LD describes; empty where it says nothing. Dates are as written, `body` has paragraphs."""

    kind: str = ""
    headline: str = ""
    description: str = ""
    body: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""
    modified: str = ""
    section: str = ""
    keywords: tuple[str, ...] = ()
    image: str = ""
    url: str = ""
    publisher: str = ""
    language: str = ""
    free: Optional[bool] = None
    live: bool = False


def described_article(tree: HtmlElement) -> Described:
    """The article in the page's JSON-LD, the most specific first; blocks that are not JSON are passed over."""
    best: Optional[dict[str, Any]] = None
    rank = 0.0
    nodes: dict[str, dict[str, Any]] = {}
    live = False
    for node in _nodes(tree):
        identity = node.get("@id")
        if isinstance(identity, str) and len(node) > 1:
            nodes.setdefault(identity, node)
        score = max((_ARTICLE_TYPES.get(kind, 0) for kind in _types(node)), default=0) + 0.0
        if not score:
            continue
        live = live or "liveblogposting" in _types(node)
        score += 0.5 * bool(node.get("headline")) + 0.3 * bool(node.get("datePublished"))
        score += 0.2 * bool(node.get("author")) + 0.1 * bool(node.get("articleBody"))
        if score > rank:
            best, rank = node, score
    return _describe(best, nodes, live) if best is not None else Described()


def _nodes(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    count = 0
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        pending = [_loads(script.text or "")]
        while pending:
            value = pending.pop(0)
            if isinstance(value, list):
                pending.extend(value[:200])
            elif isinstance(value, dict):
                count += 1
                if count > MAX_NODES:
                    return
                yield value
                pending.extend(
                    value[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart") if key in value
                )


def _loads(text: str) -> Any:
    if not text.strip() or len(text) > MAX_CHARS:
        return None
    for attempt in range(3):
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            if attempt == 0:
                text = _COMMENT.sub("", text.strip()).strip().rstrip(";")
            else:
                text = _TRAILING_COMMA.sub(r"\1", unescape(text) if "&quot;" in text else text)
    return None


def _types(node: dict[str, Any]) -> list[str]:
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [value.rpartition("/")[2].lower() for value in kinds if isinstance(value, str)]


def plain(value: Any) -> str:
    """A JSON value as one line of text, without entities and markup; empty for what is not text."""
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str)), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    if not isinstance(value, str):
        return ""
    if "&" in value:
        value = unescape(unescape(value))
    if "<" in value:
        value = _TAG.sub(" ", value)
    return " ".join(value.split())


def paragraphs(value: Any) -> str:
    """A text of several paragraphs, one a line: line breaks and block tags of the value end one."""
    if isinstance(value, list):
        value = "\n".join(one for one in value if isinstance(one, str))
    if not isinstance(value, str):
        return ""
    lines = (plain(line) for line in _BREAK.split(unescape(value) if "&lt;" in value else value))
    return "\n".join(line for line in lines if line)


def _names(value: Any, nodes: dict[str, dict[str, Any]]) -> list[str]:
    out: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            identity = one.get("@id")
            if "name" not in one and isinstance(identity, str):
                one = nodes.get(identity, one)
            name = one.get("name")
            out.extend(plain(part) for part in (name if isinstance(name, list) else [name]))
        else:
            out.append(plain(one))
    return [name for name in out if name]


def _keywords(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return ()
    words = (plain(one) for one in value[:100])
    return tuple(dict.fromkeys(word for word in words if word and len(word) < 100))


def _image(value: Any, nodes: dict[str, dict[str, Any]]) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        identity = value.get("@id")
        if "url" not in value and isinstance(identity, str):
            value = nodes.get(identity, value)
        value = value.get("url") or value.get("contentUrl") or ""
        if isinstance(value, list):
            value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def _free(value: Any) -> Optional[bool]:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().rpartition("/")[2].lower())
    return None


def _describe(node: dict[str, Any], nodes: dict[str, dict[str, Any]], live: bool) -> Described:
    kinds = _types(node)
    article = any(_ARTICLE_TYPES.get(kind, 0) > 1 for kind in kinds)
    publisher = _names(node.get("publisher") or node.get("sourceOrganization") or "", nodes)
    body = node.get("articleBody") or node.get("text") or ""
    link = node.get("url") or node.get("mainEntityOfPage") or ""
    if isinstance(link, dict):
        link = link.get("@id") or link.get("url") or ""
    language = node.get("inLanguage") or ""
    if isinstance(language, dict):
        language = language.get("alternateName") or language.get("name") or ""
    return Described(
        kind=kinds[0] if kinds else "",
        headline=plain(node.get("headline") or node.get("name") if article else node.get("headline")),
        description=plain(node.get("description")),
        body=paragraphs(body) if article else "",
        authors=tuple(dict.fromkeys(_names(node.get("author") or node.get("creator") or "", nodes))),
        published=plain(node.get("datePublished") or node.get("dateCreated") or ""),
        modified=plain(node.get("dateModified") or ""),
        section=plain(node.get("articleSection") or ""),
        keywords=_keywords(node.get("keywords")),
        image=_image(node.get("image") or node.get("thumbnailUrl") or "", nodes),
        url=link.strip() if isinstance(link, str) else "",
        publisher=publisher[0] if publisher else "",
        language=plain(language),
        free=_free(node.get("isAccessibleForFree")),
        live=live,
    )
