"""Scores an extraction against its gold text by 4-token shingles, as scrapinghub/article-extraction-benchmark does.

Tokens are runs of word characters, case kept (each character of its own where a script has no spaces). A text is the
multiset of its 4-token shingles. Precision is the mean over pages with a prediction, recall the mean over pages with a
gold text, F1 the harmonic mean of the two means. Titles and authors are compared case-folded, by their words.
"""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from newsbeam.transforms.text.spaceless import SPACELESS

_WORD = re.compile(r"\w+")
_CHAR = re.compile(f"[{SPACELESS}]|[^\\W{SPACELESS}]+")


@dataclass(frozen=True)
class Score:
    """The score of one page. Precision is None without a prediction, recall None without a gold text."""

    precision: Optional[float]
    recall: Optional[float]


@dataclass(frozen=True)
class Total:
    f1: float
    precision: float
    recall: float


def tokens(text: str, kind: str) -> list[str]:
    return (_CHAR if kind == "char" else _WORD).findall(text or "")


def shingles(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    if not words:
        return Counter()
    if len(words) < 4:
        return Counter([tuple(words)])
    return Counter(zip(words, words[1:], words[2:], words[3:], strict=False))


def score_page(row: dict[str, Any], text: str) -> Score:
    """Scores a text against a row of the manifest; optional paragraphs of gold may be absent or present."""
    kind = row.get("tokens") or "word"
    mine = shingles(tokens(text, kind))
    gold = row.get("gold") or ""
    best = _counts(shingles(tokens(gold, kind)), mine)
    for paragraph in row.get("optional") or []:
        if paragraph and paragraph in gold:
            cut = gold.replace(paragraph, "", 1)
            counts = _counts(shingles(tokens(cut, kind)), mine)
            if _f1(*counts) > _f1(*best):
                gold, best = cut, counts
    common, predicted, wanted = best
    return Score(common / predicted if predicted else None, common / wanted if wanted else None)


def _counts(gold: Counter[tuple[str, ...]], mine: Counter[tuple[str, ...]]) -> tuple[int, int, int]:
    return sum((gold & mine).values()), sum(mine.values()), sum(gold.values())


def _f1(common: int, predicted: int, wanted: int) -> float:
    return 2 * common / (predicted + wanted) if predicted + wanted else 1.0


def total(scores: Sequence[Score]) -> Total:
    precisions = [score.precision for score in scores if score.precision is not None]
    recalls = [score.recall for score in scores if score.recall is not None]
    precision = sum(precisions) / len(precisions) if precisions else 0.0
    recall = sum(recalls) / len(recalls) if recalls else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return Total(f1, precision, recall)


def interval(scores: Sequence[Score], rounds: int, seed: int = 0) -> tuple[float, float]:
    """2.5th and 97.5th percentile of F1 in a bootstrap over pages."""
    rnd = random.Random(seed)
    size = len(scores)
    values = sorted(total([scores[rnd.randrange(size)] for _ in range(size)]).f1 for _ in range(rounds))
    return values[int(0.025 * (rounds - 1))], values[round(0.975 * (rounds - 1))]


def fold(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def people(value: Any) -> set[str]:
    if isinstance(value, str):
        value = re.split(r"[;,]| and | & ", value)
    names = (fold(re.sub(r"(?i)^\s*(by|von|par|por|di)\s+", "", str(one))) for one in value or [])
    return {name for name in names if name}


def score_metadata(row: dict[str, Any], title: str, authors: Sequence[str], date: Optional[str]) -> dict[str, float]:
    """Returns 1.0 or 0.0 for each of title, date (the day) and authors that has a gold value."""
    out = {}
    if row.get("title"):
        out["title"] = float(fold(row["title"]) == fold(title))
    if row.get("date") and row.get("date_kind") != "crawl":
        out["date"] = float((date or "")[:10] == row["date"][:10])
    if people(row.get("authors")):
        out["authors"] = float(people(row["authors"]) == people(list(authors)))
    return out
