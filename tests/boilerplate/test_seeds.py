"""The two bundled stories come out exactly as a person marked them."""

import json
from typing import Any

import pytest

from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.model.records import Article, Origin, Page
from tests.support.places import DATA

SEEDS = DATA / "seeds"
GOLD: dict[str, dict[str, Any]] = {
    document["file"]: document
    for document in json.loads((SEEDS / "gold.json").read_text(encoding="utf-8"))["documents"]
}
TELEGRAPH, LBC = sorted(GOLD)


def clean(name: str) -> Article:
    page = Page(
        url="", body=(SEEDS / name).read_bytes(), content_type="text/plain", origin=Origin(raw_ref=name, unit=name)
    )
    return strip_boilerplate(extract_article(page))


@pytest.mark.parametrize("name", sorted(GOLD))
def test_every_body_line_is_kept_in_order(name: str) -> None:
    kept = clean(name).text.split("\n")
    body = GOLD[name]["body"]
    assert [line for line in kept if line in set(body)] == body


def test_of_the_page_with_clutter_nothing_but_the_body_is_kept() -> None:
    assert clean(LBC).text.split("\n") == GOLD[LBC]["body"]


def test_every_line_marked_as_clutter_is_on_record_with_its_rule() -> None:
    rules = {block.text: block.rule for block in clean(LBC).removed_blocks}
    wanted = [line for lines in GOLD[LBC]["removed"].values() for line in lines]
    assert [line for line in wanted if not rules.get(line)] == []


@pytest.mark.parametrize("name", sorted(GOLD))
def test_headline_authors_and_times_are_as_marked(name: str) -> None:
    article, gold = clean(name), GOLD[name]
    assert article.title == gold["title"]
    assert list(article.authors) == gold["authors"]
    assert article.published_at == gold["published_at"]
    assert article.updated_at == gold["updated_at"]


def test_times_keep_the_precision_they_were_written_with() -> None:
    article = clean(LBC)
    assert article.published_at == "2024-03-25T19:08"
    assert (article.published_precision, article.updated_precision) == ("minute", "minute")
    assert article.published_source == "text"


@pytest.mark.parametrize("name", sorted(GOLD))
def test_kept_and_removed_lines_are_all_the_lines_of_the_file(name: str) -> None:
    raw = (SEEDS / name).read_text(encoding="utf-8-sig").splitlines()
    assert [line for line, _ in all_lines(clean(name))] == [" ".join(line.split()) for line in raw if line.strip()]
