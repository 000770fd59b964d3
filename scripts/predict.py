#!/usr/bin/env -S scripts/with_environment.sh measure
"""Predicts topics or languages for texts without gold.

    scripts/predict.py topics IN.jsonl OUT.jsonl
    scripts/predict.py language IN.jsonl OUT.jsonl --backend py3langid

IN has one JSON object a line: `id`, `title` and/or `text`, and what else is known: `lang` (topics: the language, found
out if absent; language: nothing, it is what is asked), `section`, `keywords` (a list), `topic_hints` (a list),
`language_declared`, `language_hint`. OUT has one a line, in the same order: topics as
`{"id", "topics": [{"code", "score", "name", "source"}], "primary", "scores": {code: score}}`, languages as
`{"id", "lang", "confidence", "method"}`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsbeam.transforms.language import LanguageConfig, LanguageIdentifier, identify_language
from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.topics import Tagger, TopicsConfig, read_user_topics, score_topics, tag_topics
from newsbeam.transforms.topics.table import TOP_LEVEL


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the JSON objects of a file, one a line; empty lines are skipped."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def article_of(row: dict[str, Any], language: str = "") -> Article:
    """Makes an article of an input row."""
    hints = row.get("topic_hints") or ()
    return Article(
        id=str(row["id"]),
        url=row.get("url") or "",
        title=row.get("title") or "",
        text=row.get("text") or "",
        description=row.get("description") or "",
        section=row.get("section") or None,
        keywords=tuple(row.get("keywords") or ()),
        language=language or "und",
        language_declared=row.get("language_declared") or row.get("html_lang") or "",
        origin=Origin(language_hint=row.get("language_hint") or "", topic_hints=tuple(hints)),
    )


def predict_topics(row: dict[str, Any], tagger: Tagger) -> dict[str, Any]:
    """The prediction for one input row."""
    article = article_of(row, row.get("lang") or row.get("language") or "")
    if article.language == "und":
        article = identify_language(article)
    tagged = tag_topics(article, tagger)
    return {
        "id": row["id"],
        "topics": [{"code": t.uri, "score": t.confidence, "name": t.name, "source": t.source} for t in tagged.topics],
        "primary": next((topic.uri for topic in tagged.topics if topic.uri in TOP_LEVEL), None),
        "scores": score_topics(article, tagger),
    }


def predict_language(row: dict[str, Any], config: LanguageConfig) -> dict[str, Any]:
    """The prediction for one input row."""
    article = LanguageIdentifier(config)(replace(article_of(row), language="und"))
    return {
        "id": row["id"],
        "lang": article.language,
        "confidence": article.language_confidence,
        "method": article.language_method,
    }


def main(argv: list[str]) -> int:
    """Runs the command line; 0 if all lines were predicted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("topics", "language"))
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--backend", default="langdetect", help="language: langdetect, langdetect-rs or py3langid")
    parser.add_argument("--names", default="en", help="topics: language of the topics' names")
    parser.add_argument("--user-topics", type=Path, help="topics: YAML with topics of your own")
    args = parser.parse_args(argv)
    own = read_user_topics(args.user_topics) if args.user_topics else ()
    tagger = Tagger(TopicsConfig(name_language=args.names, user_topics=own))
    config = LanguageConfig(backend=args.backend)
    with args.output.open("w", encoding="utf-8") as output:
        for row in read_rows(args.input):
            prediction = predict_topics(row, tagger) if args.what == "topics" else predict_language(row, config)
            output.write(json.dumps(prediction, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
