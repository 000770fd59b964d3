"""Pages to articles: `article.extract_article` is the way in."""
