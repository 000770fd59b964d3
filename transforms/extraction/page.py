"""The article of any page. Knows nothing of Beam: it runs in the sandbox, where every import is paid for twice."""

from dataclasses import replace

from newsbeam.transforms.extraction.article import extract_article
from newsbeam.transforms.model.records import Article, Page
from newsbeam.transforms.model.serialization import safe_article
from newsbeam.transforms.model.versions import with_versions
from newsbeam.transforms.sources.files.json_rows import ROW
from newsbeam.transforms.sources.files.rows import article_from_row


def extract(page: Page) -> Article:
    """The article of any page: a row that holds one already, or a document to extract it from."""
    if page.content_type == ROW:
        return safe_article(article_from_row(page))
    article = extract_article(page)
    return safe_article(replace(article, extractor=with_versions(article.extractor)))
