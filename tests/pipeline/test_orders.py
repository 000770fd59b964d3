"""One outcome: whatever the order of arrival, the bundles and the number of shards, with copies and stories in one
pipeline, on the engine that newsbeam runs on locally."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue

from newsbeam.pipeline.config.beam_options import pipeline_options
from newsbeam.transforms.duplicates import DuplicatesConfig, MarkDuplicates
from newsbeam.transforms.model.identity import identify, order_time
from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.runtime.process_cache import clear_process_caches
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.stories.stories import LinkStories
from newsbeam.transforms.text.words import count_words
from tests.support.places import DATA

WRITTEN = json.loads((DATA / "duplicates/articles.json").read_text(encoding="utf-8"))
OUTCOME: list[tuple[object, ...]] = []


def articles() -> list[Article]:
    """Ninety reworked copies of eight articles, thirty seen in one moment, some at an address that was there before."""
    chance = random.Random(5)
    found = []
    for n in range(90):
        number = chance.randrange(8)
        words = WRITTEN[number]["text"].split(" ")
        for _ in range(chance.randrange(25)):
            words[chance.randrange(len(words))] = chance.choice(["the", "town", "said", "again", "harbour"])
        begin = chance.choice([0, 0, 0, 20])
        if n % 10 == 7:  # too little to ask for
            words, begin = ["..."], 0
        minute = 600 if n % 3 == 0 else n * 11
        seen = f"2024-03-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
        found.append(
            identify(
                Article(
                    url=f"https://host{n % 7}.example/a-story-{n // 2}",
                    title=WRITTEN[number]["title"],
                    text=" ".join(words[begin:]),
                    language="en",
                    origin=Origin(unit=f"unit {n}", seen_at=seen, rank=f"{seen}|row-{n:03}"),
                )
            )
        )
    return found


class Bundles(RestrictionProvider):
    def initial_restriction(self, bundles: Sequence[Sequence[Article]]) -> OffsetRange:
        return OffsetRange(0, len(bundles))

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, bundles: Sequence[Sequence[Article]], restriction: OffsetRange) -> int:
        return int(restriction.size())


class Read(beam.DoFn):
    """Each bundle by itself, as a replay reads its chunks."""

    def process(  # type: ignore[override]
        self, bundles: Sequence[Sequence[Article]], tracker: Any = beam.DoFn.RestrictionParam(Bundles())
    ) -> Iterator[Any]:
        number = tracker.current_restriction().start
        if tracker.try_claim(number):
            for article in bundles[number]:
                yield TimestampedValue(article, order_time(article))
            tracker.defer_remainder()


def note(article: Article) -> None:
    told = (article.origin.unit, article.id, article.revision, article.duplicate_kind, article.duplicate_of)
    OUTCOME.append((*told, article.duplicate_score, article.story_id, article.story_score))


def outcome(bundles: Sequence[Sequence[Article]], count: int, **policy: Any) -> list[tuple[object, ...]]:
    OUTCOME.clear()
    clear_process_caches()
    runner, options = pipeline_options([])
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        read = pipeline | beam.Create([bundles]) | beam.ParDo(Read()).with_output_types(Article)
        marked = read | MarkDuplicates(DuplicatesConfig(shards=count, **policy))
        marked | LinkStories(StoriesConfig(shards=count)) | "Note" >> beam.Map(note)
    return sorted(OUTCOME, key=repr)


def bundled(found: Sequence[Article], chance: random.Random) -> list[list[Article]]:
    """In the order of time, parted anywhere but within a moment; in any order within a bundle."""
    bundles: list[list[Article]] = []
    time = -1.0
    for article in sorted(found, key=order_time):
        if not bundles or (order_time(article) != time and chance.random() < 0.3):
            bundles.append([])
        bundles[-1].append(article)
        time = order_time(article)
    for bundle in bundles:
        chance.shuffle(bundle)
    return bundles


@pytest.fixture(scope="module")
def expected() -> list[tuple[object, ...]]:
    return outcome([articles()], 1)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_any_bundles_and_any_shards_have_one_outcome(seed: int, expected: list[tuple[object, ...]]) -> None:
    chance = random.Random(seed)
    found = articles()
    bundles = bundled(found, chance) if seed % 2 else [chance.sample(found, len(found))]
    assert len(bundles) > 9 or not seed % 2
    assert outcome(bundles, 1 + seed) == expected


def test_no_group_is_lost(expected: list[tuple[object, ...]]) -> None:
    kept = {told[1] for told in expected if told[3] in ("unique", "revision")}
    copies = {told[1]: told[4] for told in expected if told[3] not in ("unique", "revision")}
    assert len(copies) > 20
    for article, of in list(copies.items()):
        for _ in copies:
            if of in kept or of == article:
                break
            of = copies[of]
        assert of in kept


@pytest.mark.parametrize("survivor", ["original", "fullest"])
def test_whoever_stands_for_a_group_the_outcome_is_one(survivor: str) -> None:
    found = [replace(one, publisher=f"Paper {n % 7}") for n, one in enumerate(articles())]
    found = [replace(one, text=f"{one.text}\nSource: Paper {n % 5}") if n % 4 else one for n, one in enumerate(found)]
    more = [" ".join(f"fact{n}x{i}" for i in range(count_words(one.text) * 2 // 5)) for n, one in enumerate(found)]
    found = [replace(one, text=f"{found[n - 1].text}\n{more[n]}") if n % 5 == 4 else one for n, one in enumerate(found)]
    found = [identify(one) for one in found]
    expected = outcome([found], 1, survivor=survivor)
    assert sum(told[3] == "revision" for told in expected) > 4
    chance = random.Random(2)
    assert outcome(bundled(found, chance), 3, survivor=survivor) == expected
    told = [(one[1], one[2]) for one in expected if one[3] in ("unique", "revision")]
    assert len(set(told)) == len(told)
