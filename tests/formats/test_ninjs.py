"""Articles as IPTC ninjs 3.0, validated against IPTC's own schema (tests/data/ninjs, CC BY)."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from newsbeam.transforms.formats.ninjs import to_ninjs
from newsbeam.transforms.model.records import Article, RemovedBlock, Topic
from tests.support.places import DATA

SCHEMA = json.loads((DATA / "ninjs/ninjs-schema_3.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

FULL = Article(
    id="a1",
    url="https://example.org/a?x=1",
    url_canonical="https://example.org/brücke nach rügen",
    guid="tag:example.org,2024:1",
    publisher="The Example",
    title="Bridge closed",
    title_feed="Bridge closed!",
    description="A bridge.",
    text="One.\nTwo.",
    word_count=2,
    authors=("Ann Lee", "Bo Ek"),
    published_at="2024-03-25T19:08:00Z",
    published_precision="minute",
    updated_at="2024-03-26",
    first_seen_at="2024-03-25T20:00:00Z",
    fetched_at="2024-03-25T20:00:05Z",
    language="en",
    image_url="https://example.org/i.jpg",
    section="Local",
    keywords=("bridge",),
    topics=(
        Topic("medtop:20000774", "bridge", 0.876, "model+terms"),
        Topic("user:roads and rails", "Roads", 1.0, "terms"),
    ),
    is_accessible_for_free=False,
    removed_blocks=(RemovedBlock("credit", "Photo"),),
    duplicate_of="b2",
    duplicate_kind="near",
    wire_agency="AP",
    story_id="b2",
    robots=("noai",),
)


def test_a_full_article_is_a_valid_document_with_each_thing_in_its_place() -> None:
    document = to_ninjs(FULL)
    VALIDATOR.validate(document)
    assert document["uri"] == "https://example.org/br%C3%BCcke%20nach%20r%C3%BCgen"
    assert document["contentCreated"] == "2024-03-25T19:08:00Z"
    assert document["edNote"] == "updated 2024-03-26"
    assert document["bodies"][0]["wordCount"] == 2
    assert document["subjects"][0] == {
        "name": "bridge",
        "rel": "about",
        "uri": "http://cv.iptc.org/newscodes/mediatopic/20000774",
        "creator": "newsbeam (model+terms)",
        "confidence": 88,
    }
    assert document["subjects"][1]["uri"] == "urn:newsbeam:topic:roads%20and%20rails"
    assert {"role": "duplicateOf", "value": "b2"} in document["altIds"]
    assert document["usageTerms"] == "directives of the site: noai; not accessible for free"


def test_an_article_with_nothing_but_an_id_is_valid() -> None:
    document = to_ninjs(Article(id="c hash", url=""))
    VALIDATOR.validate(document)
    assert document["uri"] == "urn:newsbeam:c%20hash"
    assert document["representationType"] == "partial"


@pytest.mark.parametrize("known", ["2024", "2024-03", "2024-03-25", "2024-03-25T19:08"])
def test_a_date_is_never_given_a_time_or_zone_it_did_not_have(known: str) -> None:
    document = to_ninjs(Article(id="a", url="", published_at=known, published_precision="day"))
    VALIDATOR.validate(document)
    assert "contentCreated" not in document
    assert known in document["edNote"]
    assert "T00:00" not in json.dumps(document)


def test_the_schema_is_not_one_that_takes_anything() -> None:
    assert not VALIDATOR.is_valid({"uri": "https://example.org", "headline": "of ninjs 1"})
    assert not VALIDATOR.is_valid({})


hostile = st.text(st.characters(codec=None, exclude_categories=()), max_size=15)


@settings(max_examples=60, deadline=None)
@example("", "\ud800", "", [])
@given(hostile, hostile, hostile, st.lists(hostile, max_size=2))
def test_whatever_a_page_says_the_document_is_valid_and_can_be_written(
    title: str, url: str, when: str, many: list[str]
) -> None:
    article = Article(
        id="a",
        url="https://h/" + url,
        title=title,
        text=title,
        published_at=when,
        authors=tuple(many),
        keywords=tuple(many),
        image_url=url,
        topics=(Topic("medtop:" + url, title, 7.5, "model"),),
    )
    document = to_ninjs(article)
    VALIDATOR.validate(document)
    json.dumps(document, ensure_ascii=False).encode()
    assert document["uri"].isascii()
