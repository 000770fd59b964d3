"""Shows one article for checking: kept and removed lines side by side, each with its rule.

`explanation` gives the data of the view; `as_terminal` and `as_html` draw it. Pure: no file, no terminal is touched.
"""

import textwrap
import unicodedata
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import Optional

from newsbeam.transforms.boilerplate.strip import all_lines
from newsbeam.transforms.model.records import Article

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"


@dataclass(frozen=True)
class ShownLine:
    """One line of the page; `rule` names what removed it and is None for a line that was kept."""

    number: int
    text: str
    rule: Optional[str]


@dataclass(frozen=True)
class Explanation:
    """The data of the view: facts as (name, value, source), lines in the order of the page, counts of removals by
    rule."""

    title: str
    url: str
    facts: tuple[tuple[str, str, str], ...]
    lines: tuple[ShownLine, ...]
    by_rule: tuple[tuple[str, int], ...]

    @property
    def kept(self) -> int:
        """Number of lines that were kept."""
        return sum(line.rule is None for line in self.lines)


def explanation(article: Article) -> Explanation:
    """Returns what to show of an article."""
    lines = tuple(ShownLine(number, text, rule) for number, (text, rule) in enumerate(all_lines(article)))
    rules = Counter(line.rule for line in lines if line.rule is not None)
    facts = (
        ("authors", ", ".join(article.authors), ""),
        (
            "published",
            article.published_at or "",
            f"{article.published_source or ''} {article.published_precision or ''}",
        ),
        ("updated", article.updated_at or "", article.updated_precision or ""),
        ("publisher", article.publisher, ""),
        ("section", article.section or "", ""),
        ("language", article.language, article.language_declared and f"declared {article.language_declared}"),
        ("free to read", {True: "yes", False: "no", None: ""}[article.is_accessible_for_free], article.access_evidence),
        ("extractor", article.extractor, ""),
        ("warnings", ", ".join(article.warnings), ""),
        ("raw", article.raw_ref, ""),
    )
    return Explanation(
        title=article.title,
        url=article.url or article.raw_ref,
        facts=tuple((name, value, (source or "").strip()) for name, value, source in facts if value),
        lines=lines,
        by_rule=tuple(sorted(rules.items(), key=lambda item: (-item[1], item[0]))),
    )


def printable(text: str) -> str:
    """Makes control and direction characters visible, so that a terminal shows the text and does not obey it."""
    return "".join(
        char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co") or char == "\u200d" else "\ufffd"
        for char in text
    )


def _width(text: str) -> int:
    """Width of a text in a terminal, in columns (Unicode TR11: wide characters take two, combining marks none)."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def _wrapped(text: str, width: int) -> list[str]:
    """Breaks a line into pieces of at most `width` columns."""
    if _width(text) == len(text):
        return textwrap.wrap(text, width) or [""]
    out, row = [], ""
    for char in text:
        if row and _width(row) + _width(char) > width:
            out.append(row)
            row = ""
        row += char
    return [*out, row]


def as_terminal(shown: Explanation, *, width: int = 100, colour: bool = True) -> str:
    """Draws kept lines on the left and removed ones on the right under the name of their rule, in `width` columns."""
    paint = (lambda code, text: f"{code}{text}{_RESET}") if colour else (lambda _, text: text)
    column = max(20, (max(50, width) - 3) // 2)
    out = [paint(_BOLD, printable(shown.title) or "(no title)"), paint(_DIM, printable(shown.url)), ""]
    out += [
        f"{name:>13}  {printable(value)}" + (paint(_DIM, f"  ({printable(source)})") if source else "")
        for name, value, source in shown.facts
    ]
    removed = len(shown.lines) - shown.kept
    out += [
        "",
        paint(_GREEN, f"{f'kept: {shown.kept} lines':{column}}") + " │ " + paint(_RED, f"removed: {removed} lines"),
    ]
    out.append("─" * column + "─┼─" + "─" * column)
    for line in shown.lines:
        text = printable(line.text)
        if line.rule is None:
            out += [f"{piece}{' ' * (column - _width(piece))} │" for piece in _wrapped(text, column)]
        else:
            out.append(" " * column + " │ " + paint(_YELLOW, f"[{line.rule}]"))
            out += [" " * column + " │ " + paint(_DIM, piece) for piece in _wrapped(text, column)]
    if shown.by_rule:
        out += ["", "removed by rule: " + ", ".join(f"{rule} {count}" for rule, count in shown.by_rule)]
    return "\n".join(out) + "\n"


_STYLE = """
:root{color-scheme:light dark;--kept:#1a7f37;--gone:#b35900;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:78rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}.url{opacity:.7;overflow-wrap:anywhere;margin:0 0 1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0 0 1.5rem}dt{opacity:.7}dd{margin:0}
dd small{opacity:.7}table{border-collapse:collapse;width:100%;table-layout:fixed}
th{text-align:left;border-bottom:2px solid var(--line);padding:.3rem .6rem}td{vertical-align:top;padding:.25rem .6rem}
td.k{border-left:3px solid var(--kept)}td.r{border-left:3px solid var(--gone);opacity:.85}
td{overflow-wrap:anywhere;border-bottom:1px solid var(--line)}code{color:var(--gone);font-size:.8rem;display:block}
@media(max-width:40rem){td:empty{display:none}tr{display:block}td,th{display:block;border-bottom:0}}
"""


def as_html(shown: Explanation) -> str:
    """Draws the same as one self-contained HTML page: no script, nothing loaded, every text escaped."""
    title = escape(shown.title or "(no title)")
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}{f' <small>{escape(source)}</small>' if source else ''}</dd>"
        for name, value, source in shown.facts
    )
    rows = "".join(
        f'<tr><td class="k" dir="auto">{escape(line.text)}</td><td></td></tr>'
        if line.rule is None
        else f'<tr><td></td><td class="r" dir="auto"><code>{escape(line.rule)}</code>{escape(line.text)}</td></tr>'
        for line in shown.lines
    )
    rules = ", ".join(f"{escape(rule)} {count}" for rule, count in shown.by_rule) or "nothing"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f'<h1 dir="auto">{title}</h1><p class="url">{escape(shown.url)}</p><dl>{facts}</dl>'
        f"<table><thead><tr><th>kept: {shown.kept} lines</th>"
        f"<th>removed: {len(shown.lines) - shown.kept} lines</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Removed by rule: {rules}.</p></body></html>\n"
    )
