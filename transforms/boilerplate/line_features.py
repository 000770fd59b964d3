"""What a line of text looks like, in numbers that hold for any language: shape, punctuation, script, neighbours.

Used for lines of plain text and, beside the markup's own features, for blocks of HTML.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from math import log1p
from pathlib import Path

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
_NO_SITE_WORDS = (0.0,) * 4
_REMEMBERED = 1000
_HEAD = 2000
"""Characters of a line that are looked at; no sentence of news is longer."""
_SIGN = re.compile(r"[©®™℗]")

SITE_WORD_GROUPS = ("offer", "subscribe", "legal", "contact")
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
    *(f"words_{group}" for group in SITE_WORD_GROUPS),
)


def words_of(text: str) -> tuple[str, ...]:
    """Words as comparisons see them: lower case, letters only; one per character where a script has no spaces."""
    return _words_of(text) if len(text) <= _REMEMBERED else _split(text)


# Lines are asked for again and again while a page is judged; long ones are not kept, so that the cache stays small.
@lru_cache(maxsize=2048)
def _words_of(text: str) -> tuple[str, ...]:
    return _split(text)


def _split(text: str) -> tuple[str, ...]:
    if not text.isascii() and _SOLO.search(text):
        text = _SOLO.sub(lambda found: f" {found.group()} ", text)
    return tuple(_WORD.findall(text.lower()))


def fold(text: str) -> str:
    """A line as comparisons see it: NFKC, case folded, words only."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=1)
def _site_words() -> dict[str, int]:
    """Word -> bits of the groups it belongs to."""
    out: dict[str, int] = {}
    for row in (Path(__file__).parent / "site_words.tsv").read_text(encoding="utf-8").splitlines():
        if row and not row.startswith("#"):
            group, _, words = row.split("\t")
            for word in words.split():
                out[word] = out.get(word, 0) | 1 << SITE_WORD_GROUPS.index(group)
    return out


def line_features(lines: Sequence[str], title: str, description: str) -> tuple[Floats, list[set[str]]]:
    """One row of `LINE_FEATURES` for each line, given the page's title and description, and each line's vocabulary."""
    site_words = _site_words()
    title_words, description_words = set(words_of(title)), set(words_of(description))
    spread: dict[str, int] = {}
    seen: dict[str, int] = {}
    parts: list[tuple[list[str], int, set[str]]] = []
    for line in lines:
        words = _WORD.findall(line[:_HEAD])
        solo = 0 if line.isascii() else len(_SOLO.findall(line[:_HEAD]))
        vocabulary = set(words_of(line)) if solo else set(map(str.lower, words))
        parts.append((words, solo, vocabulary))
        seen[line] = seen.get(line, 0) + 1
        if len(line) > 80:
            for word in vocabulary:
                spread[word] = spread.get(word, 0) + 1
    rows = [
        _row(line, words, solo, vocabulary, seen[line] - 1, spread, title_words, description_words, site_words)
        for line, (words, solo, vocabulary) in zip(lines, parts, strict=True)
    ]
    table = np.array(rows, dtype=np.float32).reshape(len(lines), len(LINE_FEATURES))
    return table, [vocabulary for _, _, vocabulary in parts]


def _row(
    line: str,
    words: list[str],
    solo: int,
    vocabulary: set[str],
    repeats: int,
    spread: dict[str, int],
    title: set[str],
    description: set[str],
    site_words: dict[str, int],
) -> tuple[float, ...]:
    head = line[:_HEAD]
    size = len(line)
    shown = len(head)
    letters = sum(map(len, words))
    count = len(words) + solo // 2
    several = max(1, len(words))
    last = line.rstrip(_CLOSING)[-1:]
    own = 1 if size > 80 else 0
    get = spread.get
    first = head[0]
    ascii_only = line.isascii()
    # Most lines of a page are labels of menus: nothing but letters, digits and spaces.
    label = ascii_only and head.replace(" ", "").isalnum()
    numbered = _DIGIT.search(head) is not None
    addressed = not label and ("." in head or "@" in head or "#" in head or ":" in head)
    return (
        log1p(size),
        log1p(count),
        letters / several,
        0 if label else len(_ENDERS.findall(head)),
        last in _TERMINAL,
        last in (":", "："),
        line.endswith(("...", "…")),
        0.0 if label else len(_COMMAS.findall(head)) / max(1, count),
        len(_DIGIT.findall(head)) / shown if numbered else 0.0,
        sum(map(str.isupper, head[:400])) / max(1, min(letters, 400)),
        sum([word[0].isupper() for word in words]) / several,
        sum([len(word) <= 3 and word.islower() for word in words]) / several,
        first.islower(),
        not first.isalnum(),
        0 if label else len(_QUOTES.findall(head)),
        0.0 if label else len(_SEPARATORS.findall(head)) / max(1, count),
        numbered and not label and _DATE.search(head) is not None,
        numbered and _YEAR.search(head) is not None,
        addressed and _ADDRESS.search(head) is not None,
        not ascii_only and _SIGN.search(head) is not None,
        solo / shown,
        repeats,
        len(title & vocabulary) / len(title) if title else 0.0,
        len(title & vocabulary) / len(vocabulary) if vocabulary else 0.0,
        sum([get(word, 0) > own for word in vocabulary]) / len(vocabulary) if vocabulary else 0.0,
        len(description & vocabulary) / len(description) if description else 0.0,
        *_site_shares(vocabulary, site_words),
    )


def _site_shares(vocabulary: set[str], site_words: dict[str, int]) -> tuple[float, ...]:
    """For each group the share of a line's different words that belong to it."""
    found = [bits for word in vocabulary if (bits := site_words.get(word, 0))]
    if not found:
        return _NO_SITE_WORDS
    return tuple(sum(bits >> group & 1 for bits in found) / len(vocabulary) for group in range(len(SITE_WORD_GROUPS)))


def lead_overlap(vocabularies: Sequence[set[str]], lead: Sequence[int], title: str) -> Floats:
    """The share of each line's longer words that the story's opening has: the title and the lines at `lead`.

    A second story on the page has little in common with the opening of the first.
    """
    opening = set(words_of(title)).union(*(vocabularies[place] for place in lead))
    out = np.zeros(len(vocabularies), dtype=np.float32)
    for place, vocabulary in enumerate(vocabularies):
        long = [word for word in vocabulary if len(word) > 4]
        if long:
            out[place] = sum([word in opening for word in long]) / len(long)
    return out


def shifted(column: Floats, by: int, fill: float = 0.0) -> Floats:
    """The column as seen from `by` lines before (negative) or after: the neighbour's value, `fill` outside."""
    out = np.full_like(column, fill)
    if by > 0:
        out[:-by] = column[by:]
    elif by < 0:
        out[-by:] = column[:by]
    return out


def window_mean(values: Floats, reach: int) -> Floats:
    """Mean over the window of `reach` lines on each side, fewer at the ends."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    order = np.arange(len(values))
    low, high = np.maximum(0, order - reach), np.minimum(len(values), order + reach + 1)
    means: Floats = ((sums[high] - sums[low]) / (high - low)).astype(np.float32)
    return means
