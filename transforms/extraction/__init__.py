"""Pages to articles: HTML and plain text."""

from transforms.extraction.article import extract_article

__all__ = ["extract_article"]
