"""newsbeam's stages as transforms of Beam YAML (https://beam.apache.org/documentation/sdks/yaml/).

`configs/beam_yaml.yaml` is an example with all of them; `ExtractNews` makes flat rows, which Beam YAML's own
transforms can take (`configs/beam_yaml_rows.yaml`). The parameters are those of `newsbeam.stages`; a stage from which
something may go to the dead letters has two outputs, of which one is `dead_letters`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from newsbeam import stages
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, DeadLetter, Page
from newsbeam.transforms.model.serialization import safe_text
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.sinks.write import WriteDeadLetters as _WriteDeadLetters


class NewsRow(NamedTuple):
    """What a page gave: an article, or the reason why it gave none."""

    url: str
    title: str
    text: str
    authors: str
    """Joined by `; `."""
    published_at: Optional[str]
    published_precision: Optional[str]
    language_declared: str
    removed_lines: int
    rejected: Optional[str]
    """`reason: message` of a page that is no article; its other fields are empty."""


def news_row(url: str, html: str) -> NewsRow:
    """Extracts one page. Nothing is lost: what cannot be extracted is a row that says why."""
    try:
        article = extract_article(Page(url=url, body=html.encode("utf-8", "replace"), charset="utf-8"))
    except Rejected as rejected:
        return _row(url, Article(id="", url=url), f"{rejected.reason}: {rejected.message}")
    return _row(url, article, None)


def _row(url: str, article: Article, rejected: Optional[str]) -> NewsRow:
    return NewsRow(
        url=safe_text(url),
        title=safe_text(article.title),
        text=safe_text(article.text),
        authors=safe_text("; ".join(article.authors)),
        published_at=article.published_at,
        published_precision=article.published_precision,
        language_declared=safe_text(article.language_declared),
        removed_lines=len(article.removed_blocks),
        rejected=rejected and safe_text(rejected),
    )


class ExtractNews(beam.PTransform[PCollection[Any], PCollection[NewsRow]]):
    """Rows with `url` and `html` become rows with the article.

    Args:
        url: the field that holds the address.
        html: the field that holds the page.
    """

    def __init__(self, url: str = "url", html: str = "html") -> None:
        super().__init__()
        self._url = url
        self._html = html

    def expand(self, rows: PCollection[Any]) -> PCollection[NewsRow]:
        return rows | "Extract" >> beam.Map(_extract_fields, self._url, self._html).with_output_types(NewsRow)


def _extract_fields(row: Any, url: str, html: str) -> NewsRow:
    return news_row(getattr(row, url), getattr(row, html))


Outputs = dict[str, PCollection[Any]]
MarkDuplicates = stages.MarkDuplicates
LinkStories = stages.LinkStories
TagTopics = stages.TagTopics


class ReadFeeds(beam.PTransform[PBegin, Outputs]):
    """Polls feeds and fetches their pages: outputs `pages` and `dead_letters`.

    Args:
        feeds, contact, seconds, shards: as in `newsbeam.ReadFeeds`.
        allow: networks beyond the public Internet that may be reached, such as `10.0.0.0/8`.
    """

    def __init__(
        self, feeds: Sequence[str], contact: str, seconds: float = 0.0, shards: int = 4, allow: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._letters = DeadLetters()
        rules = AddressRules(allow=tuple(allow))
        self._read = stages.ReadFeeds(feeds, contact, self._letters, seconds=seconds, shards=shards, rules=rules)

    def expand(self, root: PBegin) -> Outputs:
        pages = root | "Read" >> self._read
        return {"pages": pages, "dead_letters": self._letters.gather()}


class CleanArticles(beam.PTransform[PCollection[Any], Outputs]):
    """Pages, or rows that hold them, become articles: outputs `articles` and `dead_letters`.

    Args:
        url: the field of a row that holds the address.
        html: the field that holds the page.
        workers: as in `newsbeam.CleanArticles`.
    """

    def __init__(self, url: str = "url", html: str = "html", workers: int = 1) -> None:
        super().__init__()
        self._fields = url, html
        self._letters = DeadLetters()
        self._clean = stages.CleanArticles(self._letters, workers=workers)

    def expand(self, rows: PCollection[Any]) -> Outputs:
        url, html = self._fields
        pages = rows | "Pages" >> beam.Map(_page_of, url, html).with_output_types(Page)
        articles = pages | "Clean" >> self._clean
        return {"articles": articles, "dead_letters": self._letters.gather()}


def _page_of(row: Any, url: str, html: str) -> Page:
    if isinstance(row, Page):
        return row
    body = getattr(row, html)
    return Page(
        url=getattr(row, url),
        body=body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"),
        content_type="text/html",
        charset="" if isinstance(body, bytes) else "utf-8",
    )


class WriteArticles(beam.PTransform[PCollection[Article], Outputs]):
    """Writes articles to every sink: outputs `outcomes` and `dead_letters`.

    Args:
        sinks, policy: as in `newsbeam.WriteArticles`.
    """

    def __init__(self, sinks: Sequence[str], policy: str = "drop") -> None:
        super().__init__()
        self._letters = DeadLetters()
        self._write = stages.WriteArticles(sinks, self._letters, policy)

    def expand(self, articles: PCollection[Article]) -> Outputs:
        outcomes = articles | "Write" >> self._write
        return {"outcomes": outcomes, "dead_letters": self._letters.gather()}


class WriteDeadLetters(beam.PTransform[PCollection[DeadLetter], Outputs]):
    """Writes dead letters to every sink that keeps them: output `outcomes`.

    Args:
        sinks: as in `newsbeam.WriteArticles`.
    """

    def __init__(self, sinks: Sequence[str]) -> None:
        super().__init__()
        self._sinks = sinks

    def expand(self, letters: PCollection[DeadLetter]) -> Outputs:
        write = _WriteDeadLetters(self._sinks, live=not letters.is_bounded)
        return {"outcomes": letters | "Write" >> write}
