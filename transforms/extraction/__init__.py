"""Pages to articles: HTML and plain text."""

from newsbeam.transforms.extraction.article import extract_article

__all__ = ["extract_article"]
