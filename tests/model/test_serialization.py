"""How an article looks as JSON."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import FOR_THE_PIPELINE, Article, DeadLetter, Origin, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import (
    ARTICLE_FIELDS,
    article_from_json,
    article_to_dict,
    safe_text,
    to_json,
)

FULL = Article(
    id="a1",
    url="https://example.org/a",
    title="Brücke gesperrt — “for good”",
    text="One.\nTwo.",
    authors=("Ann Lee", "Bo Ek"),
    published_at="2024-03-25",
    published_precision="day",
    language_confidence=0.987,
    topics=(Topic("medtop:11000000", "politics", 0.5, "model"),),
    is_accessible_for_free=False,
    removed_blocks=(RemovedBlock("credit", "Photo: X", 3), RemovedBlock("teasers", "Read more")),
    origin=Origin(unit="file.txt", seen_at="2024-03-25T19:08:00Z"),
)

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


def test_keys_stand_in_the_records_order_and_origin_never_leaves() -> None:
    keys = list(json.loads(to_json(FULL)))
    assert (
        keys == [f.name for f in dataclasses.fields(Article) if f.name not in FOR_THE_PIPELINE] == list(ARTICLE_FIELDS)
    )


def test_text_is_written_as_itself_and_unknown_as_null() -> None:
    line = to_json(FULL)
    assert "Brücke gesperrt — “for good”" in line
    assert '"updated_at":null' in line
    assert "\n" not in line


def test_an_article_comes_back_as_it_went_without_its_origin() -> None:
    assert article_from_json(to_json(FULL)) == dataclasses.replace(FULL, origin=Origin())


def test_nul_and_lone_surrogates_become_replacement_characters() -> None:
    assert safe_text("a\x00b\ud83dc\U0001f600") == "a�b�c\U0001f600"
    to_json(dataclasses.replace(FULL, title="\udfff", authors=("\x00",))).encode()


def test_a_number_that_json_cannot_carry_is_null() -> None:
    assert article_to_dict(dataclasses.replace(FULL, story_score=float("nan")))["story_score"] is None


@given(any_text, st.lists(any_text, max_size=3), st.none() | any_text)
def test_any_text_goes_out_and_back_as_the_same_bytes(title: str, authors: list[str], published: str) -> None:
    line = to_json(dataclasses.replace(FULL, title=title, authors=tuple(authors), published_at=published))
    assert to_json(article_from_json(line.encode())) == line


def test_fields_of_a_newer_version_are_left_out_and_missing_ones_take_their_default() -> None:
    article = article_from_json('{"id": "x", "url": "", "mood": "good"}')
    assert article == Article(id="x", url="")


@pytest.mark.parametrize(
    ("line", "reason", "said"),
    [
        ("{", "not_json", "not JSON"),
        ("[" * 100_000, "not_json", "not JSON"),
        ("[1]", "not_an_article", "not a list"),
        ('{"url": "u"}', "not_an_article", "'id'"),
        ('{"id": "", "url": "u"}', "not_an_article", "'id'"),
        ('{"id": "a", "url": "u", "word_count": "many"}', "not_an_article", "'word_count'"),
        ('{"id": "a", "url": "u", "revision": 9223372036854775808}', "not_an_article", "64 bits"),
        ('{"id": "a", "url": "u", "topics": [{"uri": "m"}]}', "not_an_article", "'topics'"),
        ('{"id": "a", "url": "u", "authors": "Ann"}', "not_an_article", "'authors'"),
        ('{"id": "a", "url": "u", "is_accessible_for_free": 1}', "not_an_article", "'is_accessible_for_free'"),
    ],
)
def test_what_is_no_article_is_refused_with_the_field_named(line: str, reason: str, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        article_from_json(line)
    assert refused.value.reason == reason
    assert said in refused.value.message


def test_a_dead_letter_is_one_line_too() -> None:
    letter = DeadLetter("extract", "empty", "nothing\nin it \x00", unit="f.txt")
    assert json.loads(to_json(letter))["message"] == "nothing\nin it �"
    assert "\n" not in to_json(letter)
