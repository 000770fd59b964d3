"""`newsbeam explain` and `newsbeam topics try`: one page as a person would check it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.records_in import record
from transforms.boilerplate.strip import strip_boilerplate
from transforms.dead_letters import Rejected
from transforms.explain import as_html, as_terminal, explanation
from transforms.extract import extract
from transforms.identity import identify
from transforms.language import identify_language
from transforms.reading.payload import read_unit
from transforms.reading.scan import scan
from transforms.records import Article
from transforms.sinks.sink import SinkError
from transforms.topics import Tagger, explain_topics, tag_topics


def explain(key: str, sink: str, html: Path | None, colour: bool) -> str:
    """What was kept of a page and what was removed, with the rules: text for a terminal.

    Args:
        key: a file, or the id or URL of a record of `sink`.
        html: a file to write the same to, as a page that needs nothing else.

    Raises:
        SinkError: there is no such file or record, or no article in the file.
    """
    articles = list(articles_of(Path(key))) if Path(key).is_file() else [_record(key, sink)]
    shown = [explanation(article) for article in articles]
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text("\n".join(map(as_html, shown)), encoding="utf-8")
    return "\n\n".join(as_terminal(one, colour=colour) for one in shown)


def try_topics(file: Path) -> str:
    """The topics of the articles in `file`, each with the words that speak for and against it.

    Raises:
        SinkError: there is no article in the file.
    """
    tagger = Tagger()
    lines = []
    for article in articles_of(file):
        lines.append(f"{article.title or article.raw_ref}  [{article.language}]")
        for one in explain_topics(article, tagger):
            words = ", ".join(f"{word} {weight:+.2f}" for word, weight in one.words)
            lines.append(
                f"  {one.topic.uri}  {one.topic.name}  {one.topic.confidence:.2f} ({one.topic.source}): {words}"
            )
        if not tag_topics(article, tagger).topics:
            lines.append("  no topic is likely enough")
    return "\n".join(lines)


def articles_of(file: Path) -> Iterator[Article]:
    """The articles in a file, through the stages that look at one page alone.

    Raises:
        SinkError: a page of the file cannot be an article; says why.
    """
    if not file.is_file():
        raise SinkError(f"{file}: there is no such file")
    with tempfile.TemporaryDirectory(prefix="newsbeam-") as spool:
        for unit in scan(file, file.name, Path(spool)):
            try:
                yield identify_language(identify(strip_boilerplate(extract(read_unit(unit)))))
            except Rejected as rejected:
                raise SinkError(f"{rejected.reason}: {rejected.message}") from rejected


def _record(key: str, sink: str) -> Article:
    found = record(sink, key)
    if found is None:
        raise SinkError(f"{key}: no file, and no record in {sink} has this id or URL")
    return found
