"""Stories: articles about one event find each other, whatever the order of arrival."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.transforms.window import TimestampedValue
from hypothesis import assume, given
from hypothesis import strategies as st

from newsbeam.transforms.model.identity import event_time, identify
from newsbeam.transforms.model.order import id_of
from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.runtime.memories import Sent
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.stories.index import STORY_TERMS, StoryIndex
from newsbeam.transforms.stories.memory import StoryMemory, unpack_told
from newsbeam.transforms.stories.stories import LinkStories, notice
from newsbeam.transforms.stories.terms import Terms, count_terms, table_of, terms
from tests.support.places import DATA

WRITTEN = json.loads((DATA / "duplicates/articles.json").read_text(encoding="utf-8"))
TOLD_ANEW = [
    "Islanders cut off as fire stops the ferry\n"
    "Northern islands are without their ferry for more than a week. Fire broke out in the engine room late on "
    "Tuesday; the crew put it out, and no one was injured. Fishing boats chartered by the council take patients "
    "and mail across, and insulin comes by helicopter. The replacement engine must be brought from a distant "
    "shipyard, the harbour master said.",
    "Steinach saves its night train\n"
    "The village of Steinach will pay for its night train itself. In a vote on Sunday a large majority of "
    "residents wanted a fund into which every household pays, after the railway company had announced the end "
    "of the train to the coast. Mayor Rosa Lindner sees a signal for other valleys; the railway is surprised.",
    "Ancient water under the plateau\n"
    "Geologists have found a huge lake of slightly salty water below the desert plateau. It took them four "
    "years of measurements. Survey leader Amina Darwesh warns that the lake cannot be renewed once it has been "
    "pumped, while the water ministry plans test wells and herders fear for their oases.",
]
HOUR = 3600
COLLECTED: list[Article] = []


def article(text: str, title: str, host: str, hours: float, **fields: Any) -> Article:
    seconds = round(hours * HOUR)
    seen = f"2024-03-{1 + seconds // 86400:02}T{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:00Z"
    slug = title.lower().replace(" ", "-")
    origin = Origin(unit=f"{host}/{slug}/{hours}", seen_at=seen)
    return identify(
        Article(url=f"https://{host}/{slug}", title=title, text=text, language="en", origin=origin, **fields)
    )


def several() -> list[Article]:
    """Eight events; the first three are told by a second outlet in other words."""
    found = [article(one["text"], one["title"], "a.example", n) for n, one in enumerate(WRITTEN)]
    for n, told in enumerate(TOLD_ANEW):
        title, _, text = told.partition("\n")
        found.append(article(text, title, "b.example", 10 + n))
    return found


def collect(found: Article) -> None:
    COLLECTED.append(found)


def stamped(one: Article) -> Any:
    return TimestampedValue(one, event_time(one))


def linked(articles: Sequence[Article], **settings: Any) -> dict[str, Article]:
    """What `LinkStories` makes of them, by unit."""
    COLLECTED.clear()
    with beam.Pipeline() as pipeline:
        stamps = pipeline | beam.Create(articles) | beam.Map(stamped).with_output_types(Article)
        stamps | LinkStories(StoriesConfig(**settings)) | "Collect" >> beam.Map(collect)
    assert sorted(one.origin.unit for one in COLLECTED) == sorted(one.origin.unit for one in articles)
    return {one.origin.unit: one for one in COLLECTED}


def stories(found: dict[str, Article]) -> list[list[str]]:
    """The units of each story."""
    units: defaultdict[str, list[str]] = defaultdict(list)
    for unit, one in sorted(found.items()):
        units[one.story_id or ""].append(unit)
    return sorted(units.values())


def test_one_event_told_in_other_words_is_one_story() -> None:
    articles = several()
    found = linked(articles)
    for first, second in zip(articles[:3], articles[8:], strict=True):
        assert found[second.origin.unit].story_id == first.id
        assert 0.2 < (found[second.origin.unit].story_score or 0) < 1
    assert len(stories(found)) == 8
    assert {one.story_score for one in found.values() if one.story_id == one.id} == {1.0}


@pytest.mark.parametrize(("seed", "count"), [(1, 1), (2, 5)])
def test_any_order_of_arrival_makes_the_same_stories(seed: int, count: int) -> None:
    articles = several()
    expected = stories(linked(articles))
    random.Random(seed).shuffle(articles)
    assert stories(linked(articles, shards=count)) == expected


def test_a_story_is_news_again_once_forgotten() -> None:
    first = several()[0]
    title, _, text = TOLD_ANEW[0].partition("\n")
    late = article(text, title, "b.example", 80)
    assert linked([first, late])[late.origin.unit].story_id == late.id
    assert linked([first, late], gate_hours=96)[late.origin.unit].story_id == first.id


def test_what_was_published_long_before_is_another_story() -> None:
    first = several()[0]
    title, _, text = TOLD_ANEW[0].partition("\n")
    old = article(text, title, "b.example", 1, published_at="2023-07-01")
    believed_not = article(text, title, "c.example", 1, published_at="2031-07-01")
    found = linked([first, old, believed_not])
    assert found[old.origin.unit].story_id == old.id
    assert found[believed_not.origin.unit].story_id == first.id


def test_copies_belong_to_the_story_of_what_they_copy() -> None:
    first, other = several()[:2]
    copy = replace(article("Nothing of it.", "A title", "c.example", 5), duplicate_kind="near", duplicate_of=first.id)
    revision = article("All is well again.", first.title, "a.example", 6)
    found = linked([first, other, copy, revision])
    assert found[copy.origin.unit].story_id == first.id
    assert found[revision.origin.unit].story_id == first.id


def test_languages_make_stories_of_their_own() -> None:
    first = several()[0]
    foreign = replace(article(first.text, "Same words", "b.example", 1), language="de")
    assert linked([first, foreign])[foreign.origin.unit].story_id == foreign.id


def test_how_many_shards_there_are_says_nothing_of_a_copy_in_another_language() -> None:
    first = several()[0]
    copies = [
        replace(article(first.text, "Same words", f"{n}.example", 1 + n), language=tag, duplicate_of=first.id)
        for n, tag in enumerate(("de", "fr", "it", "nl", "sv"))
    ]
    told = [{unit: one.story_id for unit, one in linked([first, *copies], shards=n).items()} for n in (1, 3, 8)]
    assert told[0] == told[1] == told[2]


def assigned(memory: StoryMemory, articles: Sequence[Article]) -> tuple[dict[bytes, bytes], bytes]:
    done = memory.work([notice(one).packed() for one in articles])
    return {id_of(key): story for key, story, _ in map(unpack_told, messages(done.sent))}, done.learnt


def messages(sent: Sequence[Sent]) -> list[bytes]:
    return [one.message for one in sent]


def test_a_memory_built_from_its_log_goes_on_the_same() -> None:
    articles = several()
    whole = assigned(StoryMemory(StoriesConfig()), articles)[0]
    early = StoryMemory(StoriesConfig())
    first, log = assigned(early, articles[:8])
    for entries in ([log], list(early.compacted())):
        again = StoryMemory(StoriesConfig())
        for entry in entries:
            again.replay(entry)
        assert {**first, **assigned(again, articles[8:])[0]} == whole


def test_words_of_scripts_without_spaces_are_pairs_of_letters() -> None:
    assert [word.decode() for word in count_terms("北京时间 Beijing")] == ["beijing", "北京", "京时", "时间"]


@given(st.text(max_size=200))
def test_words_are_runs_of_letters_and_digits(text: str) -> None:
    assume(
        not re.search("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", text)
    )
    words = [word for word in re.findall(r"[^\W_]+", text.lower()) if len(word) > 1]
    assert {word.decode(): count for word, count in count_terms(text).items()} == Counter(words)


def test_rare_words_weigh_more() -> None:
    for language in ("en", "de", "ru", "zh-Hans"):
        assert table_of(language)
    heaviest = terms("", "the the the and and earthquake", "en").hashes[0]
    assert heaviest == terms("", "earthquake", "en").hashes[0]
    assert table_of("xx") is None
    assert table_of("en.idf") is None
    assert terms("", "these words have a language that nobody weighed", "xx").hashes.size == 7


def test_a_table_tells_the_weight_of_each_word() -> None:
    table = table_of("en")
    assert table
    listed = table.of(table.hashes)
    assert (listed * 24 == table.frequencies).all()
    unlisted = np.setdiff1d(np.arange(10_000, dtype=np.uint32), table.hashes)
    assert set(table.of(unlisted).tolist()) == {table.rarest / 24}


vectors = st.dictionaries(st.integers(0, 300), st.floats(0.001, 1.0), min_size=1, max_size=150)


@given(st.lists(vectors, min_size=1, max_size=6))
def test_a_story_is_the_sum_of_its_articles_without_its_lightest_words(articles: list[dict[int, float]]) -> None:
    index = StoryIndex(1)
    expected: dict[int, float] = {}
    story = None
    for words in articles:
        told = Terms(np.array(list(words), np.uint32), np.array(list(words.values())))
        story = index.join(story, 0, 0, told) if story else index.begin(b"story", "en", 0, 0, told)
        for word, weight in words.items():
            expected[word] = expected.get(word, 0.0) + weight
        heaviest = sorted(expected.items(), key=lambda item: (-item[1], item[0]))[:STORY_TERMS]
        expected = dict(heaviest)
    assert story
    assert dict(zip(story.terms.hashes.tolist(), story.terms.weights.tolist(), strict=True)) == expected
    again = StoryIndex(1)
    again.put(story)
    sought = Terms(np.array(list(articles[0]), np.uint32), np.array(list(articles[0].values())))
    assert again.search(sought, 0, 0, 12)[0][1] == index.search(sought, 0, 0, 12)[0][1]
