"""Plain text out of the markup that feeds put into titles and summaries."""

import html
import re

_HIDDEN = re.compile(r"<(script|style|noscript|iframe|template)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|td|th|table|blockquote|section|article|figure|figcaption|hr)\b[^<>]*>",
    re.IGNORECASE,
)
_LIVE = re.compile(
    r"</?(?:a|abbr|audio|b|big|blockquote|body|br|button|center|code|div|em|embed|font|form|frame|h[1-6]|head|hr|html|i"
    r"|iframe|img|input|li|link|meta|object|ol|p|pre|s|script|small|span|strong|style|sub|sup|svg|table|td|th|tr|u|ul"
    r"|video)\b[^<>]*>",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def plain_text(markup: str) -> str:
    """Text as a reader sees it: tags and what they hide gone, entities decoded once, white space collapsed.

    Tags that come to light only by decoding (`&lt;b&gt;` in HTML) are gone as well, if HTML knows them: titles are
    escaped once too often far more often than they are about HTML.
    """
    if "<" in markup:
        if "<!" in markup or "]]>" in markup:
            markup = _COMMENT.sub(" ", markup)
        markup = _HIDDEN.sub(" ", markup)
        markup = _TAG.sub("", _BLOCK.sub(" ", markup))
    if "&" in markup:
        markup = html.unescape(markup)
        if "<" in markup:
            markup = _LIVE.sub("", _HIDDEN.sub(" ", markup))
    return clean_spaces(markup)


def clean_spaces(text: str) -> str:
    """Invisible and control characters gone, runs of white space (non-breaking too) made one space."""
    return " ".join(_INVISIBLE.sub("", text).split())


def as_markup(text: str) -> str:
    """Plain text as HTML: a paragraph a line."""
    lines = (clean_spaces(line) for line in text.splitlines())
    return "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines if line)
