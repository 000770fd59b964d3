"""`strip_boilerplate`: lines that are not the article leave its text for `removed_blocks`, each with its rule."""

from dataclasses import replace
from typing import Optional

from newsbeam.transforms.boilerplate.rules import Text, judge
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, RemovedBlock
from newsbeam.transforms.model.versions import kind_of
from newsbeam.transforms.text.words import count_words

_UNNAMED = frozenset(("line_model", "links"))
"""Removed for its looks alone: a rule that knows the line gives it the name."""


def all_lines(article: Article) -> list[tuple[str, Optional[str]]]:
    """Every line that extraction gave, in order, with the rule that removed it or None."""
    taken = {block.line: block for block in article.removed_blocks if block.line is not None}
    kept = iter(article.text.split("\n") if article.text else ())
    out: list[tuple[str, Optional[str]]] = []
    for line in kept:
        while len(out) in taken:
            out.append((taken[len(out)].text, taken[len(out)].rule))
        out.append((line, None))
    while len(out) in taken:
        out.append((taken[len(out)].text, taken[len(out)].rule))
    return out


def strip_boilerplate(article: Article) -> Article:
    """Moves the lines that the rules name from `text` to `removed_blocks`.

    No line is lost: those kept and those removed, by their numbers, are all that extraction gave, in order. If the
    rules would leave nothing of a text, none of them is applied and the article has the warning `rules_undone`. Plain
    text was judged, by the same rules and more, where its layout was known: in extraction.

    Raises:
        Rejected: `no_text` for an article without any text.
    """
    lines = all_lines(article)
    if not any(rule is None for _, rule in lines):
        raise Rejected("no_text", f"{article.url or article.raw_ref}: nothing is left of it to call an article")
    if kind_of(article.extractor) == "plain":
        return article
    texts = [line for line, _ in lines]
    # Rules look at all lines: what was taken out before is still the neighbourhood of the rest.
    verdicts = judge(Text(texts, article.title, article.authors), plain=False)
    if all(index in verdicts for index, (_, rule) in enumerate(lines) if rule is None):
        return replace(article, warnings=(*article.warnings, "rules_undone"))
    for index, verdict in verdicts.items():
        line, rule = lines[index]
        if rule is None or rule in _UNNAMED:
            lines[index] = (line, verdict)
    text = "\n".join(line for line, rule in lines if rule is None)
    return replace(
        article,
        text=text,
        word_count=count_words(text),
        removed_blocks=tuple(
            RemovedBlock(rule, line, index) for index, (line, rule) in enumerate(lines) if rule is not None
        ),
    )
