"""`newsbeam explain` and `newsbeam topics try`: one page as a person would check it."""

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import shorten

from newsbeam.pipeline.cli.records_in import history, record
from newsbeam.transforms.cleaning.clean_articles import ExtractOptions, cleaner
from newsbeam.transforms.cleaning.explain import as_html, as_terminal, explanation
from newsbeam.transforms.duplicates.explain import explain_pair, revision_diff
from newsbeam.transforms.language import LanguageConfig
from newsbeam.transforms.model.errors import Rejected, UsageError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.sources.files.scan import scan
from newsbeam.transforms.topics import Tagger, TopicsConfig, explain_topics, read_user_topics

_PASSAGES = 5


def explain(key: str, sink: str, html: Path | None, colour: bool) -> str:
    """What was kept of a page and what was removed, with the rules: text for a terminal.

    Args:
        key: a file, or the id or URL of a record of `sink`.
        html: a file to write the same to, as a page that needs nothing else.

    Raises:
        UsageError: there is no such file or record, or no article in the file.
    """
    articles = list(articles_of(Path(key))) if Path(key).is_file() else [_record(key, sink)]
    shown = [explanation(article) for article in articles]
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text("\n".join(map(as_html, shown)), encoding="utf-8")
    return "\n\n".join(as_terminal(one, colour=colour) for one in shown)


def compare(key: str, other: str, sink: str) -> str:
    """Why two records, or articles in files, were or were not called copies.

    Raises:
        UsageError: one of them is not there.
    """
    one, another = (next(articles_of(Path(k))) if Path(k).is_file() else _record(k, sink) for k in (key, other))
    told = explain_pair(one, another)
    lines = [
        f"earlier  {_named(told.earlier)}",
        f"later    {_named(told.later)}",
        f"verdict  {told.verdict}",
        *(f"         {reason}" for reason in told.reasons),
    ]
    for title, passages in (("both have", told.shared), ("only the earlier has", told.missing)):
        if passages:
            lines += ["", f"{title}:", *(f"  - {shorten(passage, 240)}" for passage in passages[:_PASSAGES])]
    for title, numbers in zip(("earlier", "later"), told.numbers, strict=True):
        if numbers:
            lines += ["", f"numbers that only the {title} has: {', '.join(numbers[:30])}"]
    return "\n".join(lines + (["", told.diff] if told.diff else []))


def revisions(key: str, sink: str) -> str:
    """What changed from each revision of a record to the next; empty if it has but one."""
    versions = history(sink, _record(key, sink).id)
    return "\n".join(revision_diff(before, after) for before, after in pairwise(versions))


def _named(article: Article) -> str:
    where = article.url or article.raw_ref
    return f"{article.id}  {article.first_seen_at or article.published_at or 'no date'}  {article.title}  {where}"


def try_topics(file: Path, user_topics: Path | None = None) -> str:
    """The topics of the articles in `file`, each with the words that speak for and against it; the user's own too.

    Raises:
        UsageError: there is no article in the file.
    """
    topics = TopicsConfig(user_topics=read_user_topics(user_topics) if user_topics else ())
    tagger = Tagger(topics)
    lines = []
    for article in articles_of(file, topics):
        lines.append(f"{article.title or article.raw_ref}  [{article.language}]")
        for one in explain_topics(article, tagger):
            words = ", ".join(f"{word} {weight:+.2f}" for word, weight in one.words)
            lines.append(
                f"  {one.topic.uri}  {one.topic.name}  {one.topic.confidence:.2f} ({one.topic.source}): {words}"
            )
        if not article.topics:
            lines.append("  no topic is likely enough")
    return "\n".join(lines)


def articles_of(file: Path, topics: TopicsConfig | None = None) -> Iterator[Article]:
    """The articles in a file, through the steps that the pipeline does with one page, in the same sandbox.

    Raises:
        UsageError: a page of the file cannot be an article; says why.
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    sandbox = cleaner(ExtractOptions(), LanguageConfig(), topics or TopicsConfig())
    with tempfile.TemporaryDirectory(prefix="newsbeam-") as spool, sandbox.open() as clean:
        for unit in scan(file, file.name, Path(spool)):
            try:
                yield clean(unit)
            except Rejected as rejected:
                raise UsageError(f"{rejected.reason}: {rejected.message}") from rejected


def _record(key: str, sink: str) -> Article:
    found = record(sink, key)
    if found is None:
        raise UsageError(f"{key}: no file, and no record in {sink} has this id or URL")
    return found
