"""newsbeam's extraction as a transform of Beam YAML (https://beam.apache.org/documentation/sdks/yaml/).

    providers:
      - type: python
        config: {}
        transforms:
          ExtractNews: newsbeam.transforms.yaml_provider.ExtractNews

Records of Beam YAML are flat rows, so that this one gives a choice of fields; `configs/beam_yaml.yaml` is an example.
"""

from typing import Any, NamedTuple, Optional

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, Page
from newsbeam.transforms.model.serialization import safe_text


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
