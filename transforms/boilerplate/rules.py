"""Structural rules on the lines of a text and their neighbourhood. Each names what it removes.

Every rule takes the lines and gives the places it would remove. None looks for a bare word inside running text; the
phrases of `patterns.tsv` count only as a whole line, as its beginning, or as a label before a colon.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Optional

from newsbeam.transforms.boilerplate.patterns import MAX_START_LINE, patterns
from newsbeam.transforms.text.dates import read_dates
from newsbeam.transforms.text.line_features import fold, folds_to
from newsbeam.transforms.text.line_words import words_of

_TERMINAL = (".", "!", "?", "…", "。", "！", "？", "।", "؟")
_CLOSING = "\"'”’»“)]』」）›"
_LABEL = re.compile(r"(?:^|[.!?…]\s+|\s[–—-]\s|\(|\s\|\s|\s)([^\W\d_]{1,14}(?:\s[^\W\d_]{1,12}){0,2})\s?[:：]\s?\S")
# Short names of agencies count only in capitals: `AP` is one, `ap` is not.
_AGENCY = (
    r"(?<!\w)(?:(?i:getty images|getty|reuters|shutterstock|alamy|imago|picture alliance|ritzau|scanpix|keystone|"
    r"istock|unsplash|pixabay|wikimedia commons|bloomberg|xinhua|belga|ansa)|"
    r"AFP|DPA|dpa|PA|AP|EPA|EFE|TASS|PAP|TT|NTB|APA)(?!\w)"
)
_CREDIT_END = re.compile(rf"(?:[(\[©/|]|[.]\s)[^()\[\]]{{0,60}}?{_AGENCY}[^.!?]{{0,40}}[)\]]?\s?\.?$")
_CREDIT = 140
"""The longest match of it, and some."""
_CREDIT_ALONE = re.compile(rf"^[(\[][^()\[\]]{{0,80}}?{_AGENCY}[^()\[\]]{{0,60}}[)\]]\.?$")
_PHOTO_BY = re.compile(
    r"^[(\[]?(?:photo(?:graph)?s?|pictures?|images?|illustrations?|video|graphic) (?:by|courtesy|via|from|:)\s", re.I
)
_NAME = re.compile(r"[^\W\d_][\w.'’\-]*")
_AMOUNT = re.compile(r"[%$€£¥]|[+−]\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_TWELVE = re.compile(r"(?:[\W\d_]*[^\W\d_]+(?![^\W\d_])){12}")
_YEARS = re.compile(r"\d{4}")


@dataclass(frozen=True)
class Text:
    """A text as rules see it."""

    lines: Sequence[str]
    title: str
    authors: Sequence[str]


def is_prose(line: str) -> bool:
    """Whether a line reads like a sentence of an article: long enough, and ended as sentences are."""
    if not _ends(line):
        return False
    # Twelve runs of letters are twelve words at least, and those behind need not be counted.
    return _TWELVE.match(line) is not None or (not line.isascii() and len(words_of(line)) >= 12)


def _ends(line: str) -> bool:
    return line.rstrip(_CLOSING).endswith(_TERMINAL)


def no_words(text: Text) -> dict[int, str]:
    """Lines without a letter or digit: rulers, bullets, a lone full stop."""
    return {index: "punctuation" for index, line in enumerate(text.lines) if not any(map(str.isalnum, line))}


def phrases(text: Text) -> dict[int, str]:
    """Lines that a phrase of the data file is, or begins; what begins with one and then runs on as prose is kept."""
    return {index: rule for index, line in enumerate(text.lines) if (rule := phrase_of(line))}


def phrase_of(line: str) -> Optional[str]:
    """The rule whose phrase a line is, or begins with."""
    return _phrase_of(line) if len(line) <= MAX_START_LINE else None


# Extraction names what it leaves out by the same phrases and credits as the rules.
@lru_cache(maxsize=2048)
def _phrase_of(line: str) -> Optional[str]:
    return patterns().of_line(line)


def headline(text: Text) -> dict[int, str]:
    """The headline repeated among the lines before the first paragraph of prose."""
    title = fold(text.title)
    out = {}
    if title:
        for index, line in enumerate(text.lines):
            if folds_to(line, title):
                out[index] = "headline"
            elif is_prose(line) and index > 3:
                break
    return out


def datelines(text: Text) -> dict[int, str]:
    """Lines that hold a date and, beside it, only the words that go with dates (published, updated, at, zones)."""
    known = patterns().labels["dateword"]
    out = {}
    for index, line in enumerate(text.lines):
        if len(line) > 160:
            continue
        # No more dates than years: what cannot be a dateline need not be read.
        years = len(_YEARS.findall(line))
        if not years or _AMOUNT.search(line) or _ends(line.rstrip(".")):
            continue
        words = [word.casefold() for word in _LETTERS.findall(line)]
        other = [word for word in words if word not in known]
        if len(other) > 2 * years:
            continue
        dates = sum(1 for _ in read_dates(line))
        if dates and len(other) <= 2 * dates:
            out[index] = "dateline"
    return out


def bylines(text: Text) -> dict[int, str]:
    """`By NAME`, in the languages of the data file, and the bare name of an author before the first prose."""
    known = patterns().bywords
    names = {fold(name) for name in text.authors if name}
    out = {}
    first = next((index for index, line in enumerate(text.lines) if is_prose(line)), len(text.lines))
    for index, line in enumerate(text.lines):
        if len(line) > 120 or _ends(line.rstrip(".")):
            continue
        at_edge = index <= first or index >= len(text.lines) - 3
        if at_edge and names and fold(line) in names:
            out[index] = "byline"
            continue
        low = line.casefold()
        if not low.startswith(known):
            continue
        by = next(word for word in known if low.startswith(word))
        rest = line[len(by) - 1 :].lstrip(" :")
        words = _NAME.findall(rest)
        capital = [word for word in words if word[0].isupper()]
        if words and len(words) <= 12 and words[0][0].isupper() and len(capital) >= 0.6 * len(words):
            folded = fold(line)
            named = any(name and name in folded for name in names)
            if named or index < first or index >= len(text.lines) - 3:
                out[index] = "byline"
    return out


def credit_of(line: str) -> bool:
    """Whether a line ends in, or is, the credit of a picture."""
    return len(line) <= 600 and _credit_of(line)


@lru_cache(maxsize=2048)
def _credit_of(line: str) -> bool:
    if len(line) < 160 and (_PHOTO_BY.match(line) or _CREDIT_ALONE.match(line)):
        return True
    tail = line[-90:]
    if ":" not in tail and "：" not in tail:
        return False
    labels = patterns().labels["credit"]
    for found in _LABEL.finditer(tail):
        label = found.group(1).casefold()
        rest = tail[found.end(1) :]
        if (
            (label in labels or label.rpartition(" ")[2] in labels)
            and len(_LETTERS.findall(rest)) <= 8
            and not _ends(rest.rstrip("."))
        ):
            return True
    return False


def captions(text: Text) -> dict[int, str]:
    """A caption and the same caption with its credit on the next line, and lines that end in a picture's credit."""
    out = {}
    lines = text.lines
    for index, line in enumerate(lines):
        credited = credit_of(line)
        if index and len(lines[index - 1]) > 3:
            before = lines[index - 1].rstrip(" .")
            if line.startswith(before) and line != lines[index - 1]:
                rest = line[len(before) :].lstrip(" .")
                if credited or (len(rest) < 60 and _CREDIT_END.search(". " + rest)):
                    out[index - 1] = "caption"
                    out[index] = "caption"
                    continue
        if credited or (len(line) < 320 and not is_prose(line) and _CREDIT_END.search(line[-_CREDIT:])):
            out[index] = "caption"
    return out


def teasers(text: Text) -> dict[int, str]:
    """From a heading that opens a list of other stories to the end, where hardly any paragraph follows another."""
    known = patterns()
    lines = text.lines
    prose = [is_prose(line) for line in lines]
    total = sum(prose)
    for index, line in enumerate(lines):
        if not known.opens_teasers(line) or _ends(line):
            continue
        rest = prose[index + 1 :]
        if sum(prose[:index]) < max(2.0, 0.6 * total):
            continue
        # Teasers alternate: two paragraphs of prose in a row are an article that goes on.
        runs = sum(1 for one, other in pairwise(rest) if one and other)
        if rest and runs <= 0.1 * len(rest):
            return dict.fromkeys(range(index, len(lines)), "teasers")
    return {}


def embedded_titles(text: Text) -> dict[int, str]:
    """The title of an embedded video or post between two paragraphs.

    It reads like a headline (eight words and more, no full stop) and, unlike a sub-heading, brings names that the
    article never mentions and hardly a word that stands in the paragraphs around it.
    """
    out = {}
    lines = text.lines
    counts: dict[str, int] = {}
    for line in lines:
        for word in set(words_of(line)):
            counts[word] = counts.get(word, 0) + 1
    for index in range(1, len(lines) - 1):
        line = lines[index]
        if (
            len(line) > 160
            or line.isupper()
            or line.rstrip(_CLOSING).endswith((*_TERMINAL, ":", "：", ",", ";"))
            or not line[0].isalnum()
        ):
            continue
        words = _LETTERS.findall(line)
        if not 8 <= len(words) <= 22 or not is_prose(lines[index - 1]) or not is_prose(lines[index + 1]):
            continue
        long = [word for word in words if len(word) >= 4]
        strange = [word for word in long if counts.get(word.lower(), 0) <= 1]
        names = [word for word in strange if word[0].isupper()]
        if len(names) >= 2 and len(strange) >= 0.5 * len(long):
            out[index] = "embedded_title"
    return out


def repeats(text: Text) -> dict[int, str]:
    """The second and later copies of a paragraph of prose."""
    seen: set[str] = set()
    out = {}
    for index, line in enumerate(text.lines):
        folded = fold(line) if len(line) >= 60 and is_prose(line) else ""
        if folded and folded in seen:
            out[index] = "repeat"
        seen.add(folded)
    return out


HTML_RULES = (no_words, headline, datelines, bylines, phrases, captions)
"""For text whose markup has been judged: what still pays there (measured with `evaluate.py clean --by-rule`)."""
PLAIN_RULES = (*HTML_RULES, teasers, embedded_titles, repeats)
SOFT = frozenset(("teasers", "embedded_title", "caption", "repeat"))
"""Rules that are right less than 97 times in 100 by themselves: in plain text models that are sure overrule them."""


def judge(text: Text, plain: bool) -> dict[int, str]:
    """Place -> name of the first rule that removes it."""
    out: dict[int, str] = {}
    for rule in PLAIN_RULES if plain else HTML_RULES:
        for index, name in rule(text).items():
            out.setdefault(index, name)
    return out
