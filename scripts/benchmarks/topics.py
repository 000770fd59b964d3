"""Measures documents a CPU second of topics and languages, beside a yardstick in the same run.

    scripts/bench.py topics --data FOLDER [--seconds 5]

FOLDER holds JSONL files with `title` and/or `text`. Texts are cut to 3,000 characters. The yardstick is splitting the
same texts into words with `str.split`: both are bound by the interpreter, so the ratio holds across machines.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from newsbeam.transforms.language import LanguageConfig, identify_language
from newsbeam.transforms.language.backends import load_backend
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.topics import Tagger, TopicsConfig, parse_user_topics, tag_topics
from scripts.predict import article_of, read_rows

_CHARACTERS = 3000
_OWN = {f"topic-{number}": {"phrases": [f"word{number}", "climate change", "minister"]} for number in range(50)}


def main(argv: Sequence[str]) -> int:
    """Prints a line for each stage and backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files")
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU-seconds to measure each for")
    parser.add_argument("--min-characters", type=int, default=1000, help="leave out shorter texts")
    args = parser.parse_args(argv)
    rows = [row for path in sorted(args.data.glob("*.jsonl")) for row in read_rows(path) if "id" in row]
    articles = [
        article_of({**row, "text": row["text"][:_CHARACTERS]}, row.get("lang") or "en")
        for row in rows
        if len(row.get("text") or "") >= args.min_characters
    ]
    if not articles:
        print(f"{args.data}: no texts of {args.min_characters} characters or more")
        return 1
    tagger, with_own = Tagger(), Tagger(TopicsConfig(user_topics=parse_user_topics(_OWN)))
    measured: list[tuple[str, Callable[[Article], object]]] = [
        ("yardstick: split", lambda article: (article.title.lower().split(), article.text.lower().split())),
        ("topics", lambda article: tag_topics(article, tagger)),
        ("topics, 50 of the user's", lambda article: tag_topics(article, with_own)),
    ]
    for name in ("langdetect", "langdetect-rs", "py3langid"):
        try:
            backend = load_backend(name)
        except ValueError as error:
            print(error)
            continue
        config = LanguageConfig(backend=name)
        measured.append((name, lambda article, b=backend, c=config: identify_language(article, b, c)))
    print(f"{len(articles)} texts, {sum(len(a.text) for a in articles) / len(articles):.0f} characters on average")
    print(f"{'':<28}{'texts/CPU-s':>12}{'of yardstick':>14}")
    yardstick = 0.0
    for name, function in measured:
        speed = _speed(function, articles, args.seconds)
        yardstick = yardstick or speed
        print(f"{name:<28}{speed:>12.0f}{speed / yardstick:>14.4f}")
    return 0


def _speed(function: Callable[[Article], object], articles: list[Article], seconds: float) -> float:
    function(articles[0])  # loads what is loaded once
    done = 0
    started = time.process_time()
    while time.process_time() - started < seconds:
        for article in articles:
            function(article)
        done += len(articles)
    return done / (time.process_time() - started)
