"""The phrases of `patterns.tsv`, compiled once: which rule a line's own words name, in any language of the file."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Optional

_BEFORE = re.compile(r"[^\w©]+")
_HEAD = 3
"""Characters of a phrase by which most lines are found to begin with none."""
MAX_START_LINE = 300
MAX_HEADING_LINE = 60


@dataclass(frozen=True)
class Patterns:
    """Phrases by place. All case-folded, without outer punctuation."""

    whole: dict[str, str]
    starts: tuple[tuple[re.Pattern[str], str], ...]
    any_start: re.Pattern[str]
    """Matches where one of `starts` does."""
    heads: frozenset[str]
    """How the phrases of `starts` begin: most lines are asked only this."""
    headings: re.Pattern[str]
    bywords: tuple[str, ...]
    """`by ` and `by:`, the longest first."""
    labels: dict[str, frozenset[str]]

    def of_line(self, line: str) -> Optional[str]:
        """The rule whose phrase this line is, or begins with; None for text."""
        if len(line) > MAX_START_LINE:
            return None
        low = line.casefold().replace("’", "'")
        found = self.whole.get(bare(low))
        if found:
            return found
        # In a line that begins with a letter or figure no phrase stands further in.
        reach = 1 if low[:1].isalnum() else 4
        heads = self.heads
        if not any(low[index : index + _HEAD] in heads for index in range(reach)) or not self.any_start.match(low):
            return None
        return next(rule for pattern, rule in self.starts if pattern.match(low))

    def opens_teasers(self, line: str) -> bool:
        """Whether a line reads like the heading of a list of other stories."""
        return len(line) <= MAX_HEADING_LINE and bool(self.headings.match(bare(line.casefold().replace("’", "'"))))


def bare(text: str) -> str:
    """A line in lower case without the punctuation around it."""
    # By hand: a regular expression would look for an end everywhere in the line.
    found = _BEFORE.match(text)
    start, end = found.end() if found else 0, len(text)
    while end > start and not (text[end - 1].isalnum() or text[end - 1] in "_)"):
        end -= 1
    return text[start:end]


@lru_cache(maxsize=1)
def patterns() -> Patterns:
    """The patterns of the package.

    Raises:
        ValueError: a line of the file is not `rule<TAB>place<TAB>language<TAB>phrases`.
    """
    whole: dict[str, str] = {}
    starts: dict[str, list[str]] = {}
    headings: list[str] = []
    labels: dict[str, set[str]] = {}
    text = (Path(__file__).parent / "patterns.tsv").read_text(encoding="utf-8")
    for number, row in enumerate(text.splitlines(), start=1):
        if not row or row.startswith("#"):
            continue
        parts = row.split("\t")
        if len(parts) != 4 or parts[1] not in ("line", "start", "heading", "label"):
            raise ValueError(
                f"patterns.tsv:{number}: expected rule, place, language, phrases, separated by tabs: {row!r}"
            )
        rule, scope, _, phrases = parts
        # Folded as lines are: "σ" also ends a word, "ss" stands for "ß".
        for phrase in phrases.casefold().split("|"):
            if scope == "line":
                whole.setdefault(bare(phrase), rule)
            elif scope == "start":
                starts.setdefault(rule, []).append(phrase)
            elif scope == "heading":
                headings.append(phrase)
            else:
                labels.setdefault(rule, set()).add(phrase)
    bywords = sorted(labels["byword"], key=lambda word: (-len(word), word))
    return Patterns(
        whole,
        tuple((re.compile(rf"[^\w©]{{0,3}}(?:{_either(phrases)})"), rule) for rule, phrases in sorted(starts.items())),
        re.compile(rf"[^\w©]{{0,3}}(?:{_either([one for phrases in starts.values() for one in phrases])})"),
        frozenset(one[:_HEAD] for phrases in starts.values() for one in phrases),
        re.compile(rf"(?:see |view |the |our )?(?:{_either(headings)})(?!\w)"),
        tuple(word + mark for word in bywords for mark in (" ", ":")),
        {rule: frozenset(words) for rule, words in labels.items()},
    )


def _either(phrases: list[str]) -> str:
    return "|".join(
        re.escape(one) + (r"(?!\w)" if one[-1].isalnum() and one[-1].isascii() else "")
        for one in sorted(phrases, key=lambda one: (-len(one), one))
    )
