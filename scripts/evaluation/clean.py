"""Measures how clean the extracted text is: `scripts/evaluate.py clean --data FOLDER [--models FOLDER] [--plain]
[--by-rule]`.

FOLDER holds `manifest.jsonl` (id, bench, url, site, gold, optional, tokens, title, authors, date) and the gzipped pages
it names. The table gives F1, precision and recall of 4-token shingles for each set, the four news sets pooled, with
bootstrap intervals; titles, dates and authors right to the letter; milliseconds of CPU a page.

The models of the package were trained on pages like these. On those very pages only `--models` is honest: a folder
written by `scripts/train_lines.py --data FOLDER --folds MODELS`, where each page is judged by the model of its fold,
which has not seen its site.
"""

import argparse
import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from newsbeam.transforms.boilerplate.site_memory import SiteMemory, drop_repeats, printed
from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.html.article_blocks import MODELS, Models
from newsbeam.transforms.extraction.plain.plain_text import PLAIN_MODELS, PlainModels
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, Page
from scripts.evaluation.extraction_score import Score, interval, score_metadata, score_page, shingles, tokens, total
from scripts.evaluation.line_training import fold_of, html_of, manifest, render

_NOTHING = Article(id="", url="")
NEWS = ("scrapinghub", "fundus-eval", "newspaper4k-dataset", "fundus-parsers")


@dataclass(frozen=True)
class Outcome:
    """The result for one page. `extracted` is the article before its boilerplate was stripped."""

    row: dict[str, Any]
    article: Optional[Article]
    extracted: Optional[Article]
    seconds: float


def run(data: Path, row: dict[str, Any], models: Optional[Path], plain: bool) -> Outcome:
    """Cleans one page of the data: its HTML, or its rendering as plain text."""
    body = html_of(data, row)
    fold = fold_of(row["site"])
    for_html = Models(models / f"html_{fold}.npz", models / f"doubtful_{fold}.npz") if models else MODELS
    for_plain = PLAIN_MODELS
    if models:
        headline, first, second = (models / f"{name}_{fold}.npz" for name in ("headline", "plain", "second"))
        for_plain = PlainModels(headline=headline, first=first, second=second)
    if plain:
        page = Page(url="", body=render(body).encode(), content_type="text/plain", charset="utf-8")
    else:
        page = Page(url=row["url"], body=body, charset="utf-8")
    start = time.process_time()
    extracted = article = None
    try:
        extracted = extract_article(page, for_html, for_plain)
        article = strip_boilerplate(extracted)
    except Rejected:
        article = None
    return Outcome(row, article, extracted, time.process_time() - start)


def with_site_memory(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Applies site memory: goes through each site's pages once more, in the order of their dates."""
    memory = SiteMemory(horizon_hours=10 * 365 * 24)
    order = sorted(
        range(len(outcomes)),
        key=lambda place: ((outcomes[place].article or _NOTHING).published_at or "", outcomes[place].row["id"]),
    )
    out = list(outcomes)
    for number, place in enumerate(order):
        outcome = outcomes[place]
        if outcome.article is not None:
            printed_article = printed(replace(outcome.article, id=outcome.row["id"]), number)
            out[place] = replace(outcome, article=drop_repeats(outcome.article, memory.judge(printed_article)))
            memory.learn(printed_article)
    return out


def table(outcomes: Sequence[Outcome], rounds: int) -> list[str]:
    """Returns a table of F1 for each set, and for the news sets pooled."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for outcome in outcomes:
        score = score_page(outcome.row, outcome.article.text if outcome.article else "")
        groups[outcome.row["bench"]].append(score)
        if outcome.row["bench"] in NEWS:
            groups["four news sets"].append(score)
    lines = [f"{'set':22s} {'pages':>5s}  {'F1':>6s}  {'95 % interval':15s}  {'precision':>9s}  {'recall':>6s}"]
    for name, scores in sorted(groups.items(), key=lambda item: (item[0] != "four news sets", item[0])):
        mean = total(scores)
        low, high = interval(scores, rounds)
        shown = f"{mean.f1:6.4f}  [{low:.4f}, {high:.4f}]  {mean.precision:9.4f}  {mean.recall:6.4f}"
        lines.append(f"{name:22s} {len(scores):5d}  {shown}")
    return lines


def metadata_table(outcomes: Sequence[Outcome]) -> list[str]:
    """Returns a table of the shares of titles, dates and authors that are exactly right."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        article = outcome.article
        scores = score_metadata(
            outcome.row,
            article.title if article else "",
            article.authors if article else (),
            article.published_day or article.published_at if article else None,
        )
        for name, value in scores.items():
            for group in ("all", outcome.row["bench"]):
                groups[group][name].append(value)
    lines = [f"{'metadata':22s} {'titles':>14s} {'dates':>14s} {'authors':>14s}"]
    for group, fields in sorted(groups.items()):
        cells = []
        for name in ("title", "date", "authors"):
            values = fields.get(name, [])
            cells.append(f"{sum(values) / len(values):.3f} ({len(values)})" if values else "-")
        lines.append(f"{group:22s} " + " ".join(f"{cell:>14s}" for cell in cells))
    return lines


def rule_table(outcomes: Sequence[Outcome]) -> list[str]:
    """For each rule the lines and tokens it removed, and how many of those tokens are missing from the gold text then.

    What extraction took out between the lines of the article is the line model's, under the name that a reader would
    give it (`model: caption`); the rest is the rules' and the site memory's.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    gold_tokens = 0
    for outcome in outcomes:
        if outcome.article is None or outcome.extracted is None or outcome.row.get("suspect"):
            continue
        kind = outcome.row.get("tokens") or "word"
        gold = tokens(outcome.row["gold"], kind)
        gold_tokens += len(gold)
        missing = shingles(gold) - shingles(tokens(outcome.article.text, kind))
        whole = {tuple(tokens(line, kind)) for line in outcome.row["gold"].split("\n")}
        # The rules of plain text are applied in extraction.
        html = outcome.extracted.extractor != "plain"
        by_model = {block.line for block in outcome.extracted.removed_blocks if html}
        for line_number, (line, rule) in enumerate(all_lines(outcome.article)):
            if rule is None:
                continue
            words = tokens(line, kind)
            own = shingles(words)
            wrong = len(words) if tuple(words) in whole else 0
            if len(words) >= 4:
                wrong = round(len(words) * sum((own & missing).values()) / max(1, sum(own.values())))
            count = counts[f"model: {rule}" if line_number in by_model or rule == "line_model" else rule]
            count.update(lines=1, tokens=len(words), wrong=wrong)
    out = [f"{'rule':24s} {'lines':>7s} {'tokens':>9s} {'precision':>9s} {'of all gold':>11s}"]
    rules = [name for name in counts if not name.startswith("model: ")]
    total_of_rules: Counter[str] = Counter()
    for name in rules:
        total_of_rules.update(counts[name])
    shown = sorted(counts.items(), key=lambda item: (item[0].startswith("model: "), -item[1]["tokens"]))
    for name, count in [*shown[: len(rules)], ("all rules together", total_of_rules), *shown[len(rules) :]]:
        precision = 1 - count["wrong"] / max(1, count["tokens"])
        share = count["wrong"] / max(1, gold_tokens)
        out.append(f"{name:24s} {count['lines']:7d} {count['tokens']:9d} {precision:9.3f} {share:11.3%}")
    return out


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, help="models of the folds, from scripts/train_lines.py --folds")
    parser.add_argument("--plain", action="store_true", help="clean whole-page renderings instead of HTML")
    parser.add_argument("--by-rule", action="store_true", help="precision of every rule")
    parser.add_argument("--site-memory", action="store_true", help="and take out what each site repeats")
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--bench", help="only these sets, separated by commas")
    parser.add_argument("--predictions", type=Path, help="write id, text, title, authors, date as JSON lines (.gz)")
    arguments = parser.parse_args(argv)
    rows = [
        row for row in manifest(arguments.data) if not arguments.bench or row["bench"] in arguments.bench.split(",")
    ]
    outcomes = [run(arguments.data, row, arguments.models, arguments.plain) for row in rows]
    if arguments.site_memory:
        outcomes = with_site_memory(outcomes)
    print("\n".join(table(outcomes, arguments.bootstrap)))
    if not arguments.plain:
        print("\n" + "\n".join(metadata_table(outcomes)))
    if arguments.by_rule:
        print("\n" + "\n".join(rule_table(outcomes)))
    seconds = sum(outcome.seconds for outcome in outcomes)
    rejected = sum(outcome.article is None for outcome in outcomes)
    print(f"\n{1000 * seconds / max(1, len(outcomes)):.1f} ms of CPU a page; {rejected} of {len(outcomes)} rejected")
    if arguments.predictions:
        with gzip.open(arguments.predictions, "wt", encoding="utf-8") as out:
            for outcome in outcomes:
                article = outcome.article
                if article:
                    record = {
                        "id": outcome.row["id"], "text": article.text, "title": article.title,
                        "authors": list(article.authors), "date": article.published_day or article.published_at,
                    }  # fmt: skip
                    out.write(json.dumps(record, ensure_ascii=False) + "\n")
    return 0
