"""What a line of text looks like, in numbers that hold for any language: shape, punctuation, script, neighbours.

Used for lines of plain text and, beside the markup's own features, for blocks of HTML.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_WORD = re.compile(r"[^\W\d_]+")
_SOLO = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_DIGIT = re.compile(r"\d")
_TERMINAL = frozenset(".!?…。！？।؟")
_CLOSING = "\"'”’»“)]』」）›"
_ENDERS = re.compile(r"[.!?…。！？।؟](?=[\s\"'”’»“)』」）]|$)|[。！？]")
_COMMAS = re.compile(r"[,;、，；،]")
_QUOTES = re.compile(r"[\"“”„«»「」『』]")
_SEPARATORS = re.compile(r"[|•·»›→▶►/]")
_DATE = re.compile(r"\b(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d[./年-]|\d{1,2}:\d\d)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ADDRESS = re.compile(r"https?://|www\.|\S@\S|(?:^|\s)[@#]\w")
_SIGN = re.compile(r"[©®™℗]")

LINE_FEATURES = (
    "log_chars",
    "log_words",
    "word_length",
    "enders",
    "ends_terminal",
    "ends_colon",
    "ends_ellipsis",
    "commas",
    "digit_share",
    "upper_share",
    "capital_words",
    "short_lower_words",
    "starts_lower",
    "starts_mark",
    "quotes",
    "separators",
    "date",
    "year",
    "address",
    "sign",
    "solo_share",
    "repeats",
    "title_in_line",
    "line_in_title",
    "overlap",
    "description_in_line",
)


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Words as comparisons see them: lower case, letters only; one per character where a script has no spaces."""
    if _SOLO.search(text):
        text = _SOLO.sub(lambda found: f" {found.group()} ", text)
    return tuple(_WORD.findall(text.lower()))


def fold(text: str) -> str:
    """A line as comparisons see it: NFKC, case folded, words only."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def line_features(lines: Sequence[str], title: str, description: str) -> Floats:
    """One row of `LINE_FEATURES` for each line, given the page's title and description as far as known."""
    rows = np.zeros((len(lines), len(LINE_FEATURES)), dtype=np.float32)
    vocabularies = [set(words_of(line)) for line in lines]
    title_words, description_words = set(words_of(title)), set(words_of(description))
    spread: dict[str, int] = {}
    for line, vocabulary in zip(lines, vocabularies, strict=True):
        if len(line) > 80:
            for word in vocabulary:
                spread[word] = spread.get(word, 0) + 1
    seen: dict[str, int] = {}
    for line in lines:
        seen[line] = seen.get(line, 0) + 1
    for place, line in enumerate(lines):
        size = len(line)
        head = line[:2000]
        words = _WORD.findall(head)
        letters = sum(map(len, words))
        solo = len(_SOLO.findall(head)) if not head.isascii() else 0
        count = len(words) + solo // 2
        stripped = line.rstrip(_CLOSING)
        last = stripped[-1:] if stripped else ""
        vocabulary = vocabularies[place]
        known = 0.0
        if vocabulary:
            own = 1 if size > 80 else 0
            known = sum(1 for word in vocabulary if spread.get(word, 0) > own) / len(vocabulary)
        upper = sum(1 for char in head[:400] if char.isupper())
        first = head[0]
        rows[place] = (
            np.log1p(size),
            np.log1p(count),
            letters / len(words) if words else 0.0,
            len(_ENDERS.findall(head)),
            last in _TERMINAL,
            last in (":", "："),
            line.endswith(("...", "…")),
            len(_COMMAS.findall(head)) / max(1, count),
            len(_DIGIT.findall(head)) / min(size, 2000),
            upper / max(1, min(letters, 400)),
            sum(1 for word in words if word[0].isupper()) / max(1, len(words)),
            sum(1 for word in words if len(word) <= 3 and word.islower()) / max(1, len(words)),
            first.islower(),
            not first.isalnum(),
            len(_QUOTES.findall(head)),
            len(_SEPARATORS.findall(head)) / max(1, count),
            1.0 if _DATE.search(head) else 0.0,
            1.0 if _YEAR.search(head) else 0.0,
            1.0 if _ADDRESS.search(head) else 0.0,
            1.0 if _SIGN.search(head) else 0.0,
            solo / min(size, 2000),
            seen[line] - 1,
            _share(title_words, vocabulary),
            _share(vocabulary, title_words),
            known,
            _share(vocabulary, description_words),
        )
    return rows


def shifted(column: Floats, by: int, fill: float = 0.0) -> Floats:
    """The column as seen from `by` lines before (negative) or after: the neighbour's value, `fill` outside."""
    out = np.full_like(column, fill)
    if by > 0:
        out[:-by] = column[by:]
    elif by < 0:
        out[-by:] = column[:by]
    return out
