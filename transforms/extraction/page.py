"""The article of any page. Knows nothing of Beam: it runs in the sandbox, where every import is paid for twice."""

from transforms.extraction.article import extract_article
from transforms.reading.json_rows import ROW
from transforms.reading.rows import article_from_row
from transforms.records import Article, Page
from transforms.serialization import safe_article


def extract(page: Page) -> Article:
    """The article of any page: a row that holds one already, or a document to extract it from."""
    return safe_article(article_from_row(page) if page.content_type == ROW else extract_article(page))
