"""The article as the data of a page's scripts has it.

Pages of React, Vue and their like carry the state they are drawn from as JSON in a `script` (`__NEXT_DATA__`,
`self.__next_f.push([1, "..."])`, `window.__NUXT__ = {...}`): the article as its publisher stores it, without what
surrounds it on the page. Where the server has not drawn it, its text is nowhere else.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from lxml.html import HtmlElement

from newsbeam.transforms.extraction.json_ld import paragraphs
from newsbeam.transforms.text.line_words import fours, words_of

MAX_CHARS = 3_000_000
"""Of a script."""
MAX_TEXT = 200_000
"""Characters of an article; of what a page shows no more are compared."""
MAX_VALUES = 100_000
_MIN_CHARS = 200
_MAX_STARTS = 20
_NESTED = 3
_PARAGRAPHS = 3
_PROSE = 60
_CANDIDATES = 15
_SAMPLES = 6
_NEXT_TO_NOTHING = 600
_SHOWN, _OF_IT = 0.2, 0.5
# Where a value may begin: the whole script, what is assigned, an argument of a call.
_START = re.compile(r"""(?:^|[=(,;])\s*(?=[\[{"])""")
_PARAGRAPH_END = re.compile(r"</p\s*>", re.I)
_FOUR_WORDS = re.compile(r"[^\W\d_]{2,30}(?: [^\W\d_]{2,30}){3}|[^\W\d_]{12,}")
_DEEP = (dict, list)
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class Stated:
    """The article in a page's data: one paragraph a line, and the HTML it is taken from (empty: from JSON-LD).

    It is undrawn where the page shows next to nothing of it: a script would draw it.
    """

    text: str = ""
    markup: str = ""
    undrawn: bool = False


def stated_article(tree: HtmlElement, described: str, title: str, lines: Sequence[str]) -> Stated:
    """The article as the page's data has it: from JSON-LD, or else from what its scripts are fed with.

    Of several texts it is the one most of which the page shows, if that is a good part of the text and of the page. On
    a page that shows next to nothing it is the longest with half of the title's words.

    Args:
        described: the body that JSON-LD gives; where it is long enough nothing else is looked for.
        lines: what the page shows.
    """
    prose = [line for line in lines if len(line) > _PROSE]
    shows = sum(map(len, prose))
    if len(described) > 0.5 * shows:
        return Stated(described)
    hidden = shows < _NEXT_TO_NOTHING
    samples = [] if hidden else _samples(prose)
    candidates = sorted(set(_texts(tree, samples)), key=lambda one: (-len(one.text), one.text))[:_CANDIDATES]
    if not candidates:
        return Stated(described)
    if hidden:
        named = set(words_of(title))
        likely = (one for one in candidates if named and len(named & set(words_of(one.text))) >= 0.5 * len(named))
        one = next(likely, Stated(described))
        return replace(one, undrawn=bool(one.markup) and len(one.text) > 4 * shows)
    candidates.append(Stated(described))
    shown = _fours("\n".join(prose)[:MAX_TEXT].split("\n"))
    theirs = [_fours(one.text.split("\n")) for one in candidates]
    common = [len(one & shown) for one in theirs]
    best = max(range(len(candidates)), key=common.__getitem__)
    good = common[best] >= max(_SHOWN * len(shown), _OF_IT * len(theirs[best]))
    return candidates[best] if good else Stated(described)


def as_page(stated: Stated, title: str) -> str:
    """The page that a script would draw of it."""
    return f"<html><body><article><h1>{escape(title)}</h1>{stated.markup}</article></body></html>"


def _fours(lines: Sequence[str]) -> set[tuple[str, ...]]:
    out: set[tuple[str, ...]] = set()
    for line in lines:
        out.update(fours(words_of(line)))
    return out


def _samples(prose: Sequence[str]) -> list[str]:
    """Some words of the longest lines, as they are and as JSON may escape them: what a script with the text has."""
    out = []
    for line in sorted(prose, key=len, reverse=True)[:_SAMPLES]:
        words = _FOUR_WORDS.search(line, len(line) // 3) or _FOUR_WORDS.search(line)
        if words:
            out += sorted({words.group(), json.dumps(words.group())[1:-1]})
    return out


def _texts(tree: HtmlElement, samples: Sequence[str]) -> Iterator[Stated]:
    for script in tree.iter("script"):
        text = script.text or ""
        if not _MIN_CHARS < len(text) <= MAX_CHARS:
            continue
        if samples and not any(sample in text for sample in samples):
            continue
        for markup in _markup(text):
            body = paragraphs(markup)
            if _MIN_CHARS < len(body) <= MAX_TEXT:
                yield Stated(body, markup)


def _markup(script: str) -> Iterator[str]:
    """HTML of some paragraphs, and lists of items with a paragraph each, in the JSON values of a script."""
    pending = [(value, 0) for value in _values(script)]
    for _ in range(MAX_VALUES):
        if not pending:
            return
        value, depth = pending.pop()
        if isinstance(value, str):
            inner = _values(value) if depth < _NESTED and value[:1] in '[{"' else []
            pending += [(one, depth + 1) for one in inner]
            if not inner and len(_PARAGRAPH_END.findall(value)) >= _PARAGRAPHS:
                # What stands before the first element is the state's own (`1a:T3f2,<p>...`).
                yield value[value.find("<") :]
        else:
            inner = list(value.values()) if isinstance(value, dict) else value
            pending += [(one, depth) for one in inner if type(one) in _DEEP or _is_long(one)]
            if isinstance(value, list):
                prose = list(_prose(value))
                if len(prose) >= _PARAGRAPHS:
                    yield "\n".join(text if text.startswith("<") else f"<p>{text}</p>" for text in prose)


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > _MIN_CHARS


def _prose(items: Sequence[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, dict):
            for text in item.values():
                if isinstance(text, str) and len(text) > _PROSE and " " in text and not text.startswith("http"):
                    yield text


def _values(text: str) -> list[Any]:
    """The JSON values that begin where a script's values do; what is no JSON is passed over."""
    out = []
    index = 0
    for _ in range(_MAX_STARTS):
        start = _START.search(text, index)
        if start is None:
            break
        try:
            value, index = _JSON.raw_decode(text, start.end())
            if isinstance(value, str | dict | list):
                out.append(value)
        except (ValueError, RecursionError):
            index = start.end() + 1
    return out
