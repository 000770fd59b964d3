"""Copies: found whatever was done to them, the same for any order of arrival, and the first of a group always stays."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.duplicates import DuplicatesConfig, MarkDuplicates
from newsbeam.transforms.duplicates.credits import credited_names, own_names
from newsbeam.transforms.duplicates.explain import explain_pair
from newsbeam.transforms.duplicates.features import ANCHOR_POOL, LONGEST_TEXT, features, features_of
from newsbeam.transforms.duplicates.similarity import NEAR, Verdict
from newsbeam.transforms.duplicates.verdicts import takes_over
from newsbeam.transforms.model.identity import event_time, identify
from newsbeam.transforms.model.records import Article, Origin
from tests.support.places import DATA

WRITTEN = json.loads((DATA / "duplicates/articles.json").read_text(encoding="utf-8"))
HOUR = 3600
FOOTER = (
    "\nThis text was first sent to our subscribers in the morning letter.\n"
    "Read more about this and other matters in our weekend edition, on sale at every kiosk from Friday on."
)


def article(number: int, host: str, hours: float, text: str = "", slug: str = "", title: str = "") -> Article:
    """Article `number` of the written ones (or another text) as `host` has it, seen so many hours after the first."""
    seconds = round(hours * HOUR)
    seen = f"2024-03-{1 + seconds // 86400:02}T{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"
    return identify(
        Article(
            url=f"https://{host}/{slug or f'article-number-{number}'}",
            title=title or WRITTEN[number]["title"],
            text=text or WRITTEN[number]["text"],
            origin=Origin(unit=f"{host}/{number}/{hours}", seen_at=seen),
        )
    )


def written(number: int) -> str:
    return str(WRITTEN[number]["text"])


COLLECTED: list[Article] = []


def collect(found: Article) -> None:
    COLLECTED.append(found)


def stamped(one: Article) -> Any:
    return TimestampedValue(one, event_time(one))


def marked(articles: Sequence[Article], **settings: Any) -> dict[str, Article]:
    """What `MarkDuplicates` makes of them, by unit."""
    COLLECTED.clear()
    with beam.Pipeline() as pipeline:
        stamps = pipeline | beam.Create(articles) | beam.Map(stamped).with_output_types(Article)
        stamps | MarkDuplicates(DuplicatesConfig(**settings)) | "Collect" >> beam.Map(collect)
    assert sorted(one.origin.unit for one in COLLECTED) == sorted(one.origin.unit for one in articles)
    return {one.origin.unit: one for one in COLLECTED}


def kinds(found: dict[str, Article]) -> dict[str, tuple[str, str | None]]:
    """Of each unit its kind, and which unit it points to."""
    units: dict[str, str] = {}
    for one in sorted(found.values(), key=lambda one: (event_time(one), one.origin.unit)):
        units.setdefault(one.id, one.origin.unit)
    return {
        unit: (one.duplicate_kind, units[one.duplicate_of] if one.duplicate_of else None) for unit, one in found.items()
    }


def test_copies_are_told_from_other_news() -> None:
    paragraphs = written(0).split("\n")
    with_typos = written(0).replace("harbour", "harbor").replace("fire", "flre").replace("medicine", "medlcine")
    copies = {
        "first.example/0/0": article(0, "first.example", 0),
        "exact.example/0/1": article(0, "exact.example", 1, written(0).upper() + "\n"),
        "typos.example/0/2": article(0, "typos.example", 2, with_typos, title="Islands cut off"),
        "wire.example/0/3": article(0, "wire.example", 3, f"NORTHHAVEN (AP) - {written(0)}"),
        "footer.example/0/4": article(0, "footer.example", 4, written(0) + FOOTER),
        "brief.example/0/5": article(0, "brief.example", 5, "\n".join(paragraphs[:2])),
        **{f"other.example/{n}/6": article(n, "other.example", 6) for n in range(1, 8)},
    }
    found = kinds(marked(list(copies.values())))
    first = "first.example/0/0"
    assert found.pop(first) == ("unique", None)
    assert found.pop("exact.example/0/1") == ("exact", first)
    assert found.pop("typos.example/0/2") == ("near", first)
    assert found.pop("wire.example/0/3") == ("syndicated", first)
    assert found.pop("footer.example/0/4") == ("near", first)
    assert found.pop("brief.example/0/5") == ("excerpt", first)
    assert set(found.values()) == {("unique", None)}


def test_the_wire_agency_is_named() -> None:
    found = marked([article(0, "a.example", 0, f"NORTHHAVEN (AP) - {written(0)}"), article(1, "a.example", 1)])
    assert found["a.example/0/0"].wire_agency == "AP"
    assert found["a.example/1/1"].wire_agency is None


def test_the_first_stays_and_the_longer_later_one_is_no_excerpt() -> None:
    brief = "\n".join(written(2).split("\n")[:2])
    found = kinds(marked([article(2, "brief.example", 0, brief), article(2, "full.example", 1)]))
    assert found == {"brief.example/2/0": ("unique", None), "full.example/2/1": ("near", "brief.example/2/0")} or found[
        "full.example/2/1"
    ] == ("unique", None)


def test_new_content_at_a_known_address_is_a_revision_and_none_is_unchanged() -> None:
    updated = written(3) + "\nThe sixth concert is sold out."
    found = marked(
        [
            article(3, "a.example", 0),
            article(3, "a.example", 1),
            article(3, "a.example", 2, updated),
            article(3, "a.example", 3, updated),
            article(3, "b.example", 4, updated),
        ]
    )
    assert [(one.duplicate_kind, one.revision) for _, one in sorted(found.items())] == [
        ("unique", 1),
        ("unchanged", 1),
        ("revision", 2),
        ("unchanged", 2),
        ("exact", 1),
    ]
    assert len({one.id for unit, one in found.items() if unit.startswith("a.")}) == 1
    assert found["b.example/3/4"].duplicate_of == found["a.example/3/0"].id


def weather(town: str, numbers: Sequence[int]) -> str:
    low, high, rain, wind, sunrise = numbers
    return (
        f"Weather for {town}. Temperatures will rise from {low} degrees in the morning to {high} degrees in the "
        f"afternoon. The chance of rain is {rain} percent, with winds from the west at {wind} kilometres an hour. The "
        f"sun rises at {sunrise} minutes past six. Drivers are asked to take care on bridges and in low places, where "
        "there may be fog until the late morning. The next forecast will be published at the usual time tomorrow."
    )


def test_templates_with_other_numbers_are_other_news() -> None:
    found = kinds(
        marked(
            [
                article(0, "weather.example", 0, weather("Ostrava", (11, 23, 40, 18, 12)), "monday"),
                article(0, "weather.example", 24, weather("Ostrava", (9, 17, 85, 31, 14)), "tuesday"),
                article(0, "copy.example", 25, weather("Ostrava", (9, 17, 85, 31, 14)) + " Stay safe."),
            ]
        )
    )
    assert found == {
        "weather.example/0/0": ("unique", None),
        "weather.example/0/24": ("unique", None),
        "copy.example/0/25": ("near", "weather.example/0/24"),
    }


def test_a_copy_is_found_under_what_its_outlet_prints_everywhere() -> None:
    everywhere = f"{written(6)}\n{written(7)}"
    first = article(0, "first.example", 0)
    padded = [article(n, "outlet.example", 1 + n, f"{written(n)}\n{everywhere}") for n in (1, 2, 0)]
    # What is boilerplate is known once two articles have had it.
    late = article(0, "outlet.example", 9, padded[2].text)
    known = kinds(marked([first, *padded[:2], late]))
    assert known["outlet.example/0/9"] == ("near", "first.example/0/0")
    unknown = kinds(marked([first, late]))
    assert unknown["outlet.example/0/9"] == ("unique", None)


def test_a_common_footer_makes_no_copies() -> None:
    footer = "\n".join([written(6), *written(7).split("\n")[:1]])
    texts = ["\n".join([*written(n).split("\n")[:2], footer]) for n in range(4)]
    found = kinds(marked([article(n, f"host{n}.example", n, text) for n, text in enumerate(texts)]))
    assert {kind for kind, _ in found.values()} == {"unique"}


def test_short_texts_under_two_titles_are_two_articles() -> None:
    found = kinds(
        marked(
            [
                article(0, "a.example", 0, "Subscribe to read on."),
                article(1, "b.example", 1, "Subscribe to read on."),
                article(0, "c.example", 2, "Subscribe to read on."),
            ]
        )
    )
    assert found["b.example/1/1"] == ("unique", None)
    assert found["c.example/0/2"] == ("exact", "a.example/0/0")


def test_a_copy_beyond_the_horizon_is_news_again() -> None:
    found = kinds(marked([article(4, "a.example", 0), article(4, "b.example", 80)], horizon_hours=72))
    assert found["b.example/4/80"] == ("unique", None)


def test_a_fuller_copy_becomes_a_revision_of_the_first_if_so_configured() -> None:
    paragraphs = written(5).split("\n")
    early, late = article(5, "a.example", 0, "\n".join(paragraphs[:-1])), article(5, "b.example", 1)
    found = marked([early, late], survivor="fullest")
    assert found["b.example/5/1"].duplicate_kind == "revision"
    assert (found["b.example/5/1"].id, found["b.example/5/1"].revision) == (early.id, 2)


def test_a_fuller_copy_in_a_script_without_spaces_becomes_a_revision_too() -> None:
    sentences = [
        f"{number}日下午当地政府在{number * 7}号会议室宣布第{number}项新的交通计划并说明理由。"
        for number in range(1, 40)
    ]
    early = article(5, "a.example", 0, "\n".join(sentences[:30]))
    late = article(5, "b.example", 1, "\n".join(sentences))
    found = marked([early, late], survivor="fullest")
    assert found["b.example/5/1"].duplicate_kind == "revision"
    assert found["b.example/5/1"].id == early.id


def records(found: dict[str, Article]) -> dict[str, list[int]]:
    """The revisions that sinks get of each record."""
    kept: dict[str, list[int]] = {}
    for one in sorted(found.values(), key=event_time):
        if one.duplicate_kind in ("unique", "revision"):
            kept.setdefault(one.id, []).append(one.revision)
    return kept


def test_what_is_fuller_still_is_one_more_revision_of_one_record() -> None:
    size = len(written(5).split())
    more = [" ".join(f"part{part}word{n}" for n in range(size * share // 10)) for part, share in enumerate((4, 4, 6))]
    texts = ["\n".join([written(5), *more[:part]]) for part in range(4)]
    articles = [
        article(5, f"{host}.example", hour, text) for hour, (host, text) in enumerate(zip("abcd", texts, strict=True))
    ]
    copy = article(5, "e.example", 5, texts[1])
    rewritten = article(5, "b.example", 6, texts[1].replace("word7", "word eight"))
    again = article(5, "a.example", 7, texts[0].replace("the", "that"))
    found = marked([*articles, copy, rewritten, again], survivor="fullest")
    assert records(found) == {articles[0].id: [1, 2, 3, 4, 5, 6]}
    assert found["e.example/5/5"].duplicate_of == articles[0].id
    assert kinds(marked(articles, survivor="first"))["a.example/5/0"] == ("unique", None)


def credit(text: str, host: str = "a.example", hours: float = 0.0, **fields: Any) -> Article:
    return identify(replace(article(3, host, hours, text), **fields))


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        (credit(f"HARBOUR (Reuters) - {written(3)}"), credit(written(3), "www.reuters.com", 2)),
        (credit(f"{written(3)}\n(AP)"), credit(written(3), "apnews.com", 2)),
        (
            credit(f"{written(3)}\nThis article was originally published by The Harbour Herald."),
            credit(written(3), "news.example", 2, publisher="Harbour Herald"),
        ),
        (
            credit(f"{written(3)}\nZuerst erschienen bei hafenbote.example."),
            credit(written(3), "www.hafenbote.example", 2),
        ),
        (credit(written(3), url_canonical="https://first.example/the-story"), credit(written(3), "first.example", 2)),
    ],
)
def test_a_later_original_is_a_revision_of_the_record_of_the_copy_that_names_it(
    copy: Article, original: Article
) -> None:
    between = credit(written(3), "c.example", 1)
    found = marked([copy, between, original], survivor="original")
    assert found[copy.origin.unit].duplicate_kind == "unique"
    told = found[original.origin.unit]
    assert (told.id, told.revision, told.duplicate_kind, told.duplicate_of) == (copy.id, 2, "revision", copy.id)
    assert found[between.origin.unit].duplicate_of == copy.id
    assert marked([copy, between, original])[original.origin.unit].duplicate_kind in ("exact", "near", "syndicated")


def test_an_original_is_known_also_by_a_copy_that_is_not_the_first() -> None:
    first = credit(written(3))
    copy = credit(f"{written(3)}\nFirst published in The Harbour Herald", "b.example", 1)
    original = credit(written(3), "c.example", 2, publisher="Harbour Herald")
    found = marked([first, copy, original], survivor="original")
    assert (found[original.origin.unit].id, found[original.origin.unit].revision) == (first.id, 2)


def test_nobody_takes_over_who_is_not_named() -> None:
    copy = credit(f"HARBOUR (Reuters) - {written(3)}")
    found = marked([copy, credit(written(3), "reuters.fans.example", 2)], survivor="original")
    assert {one.duplicate_kind for one in found.values()} == {"unique", "syndicated"} or {
        one.duplicate_kind for one in found.values()
    } == {"unique", "near"}


def test_a_mention_is_no_credit() -> None:
    for text in (
        "He told Reuters that it was so.",
        "Reuters was founded in 1851.",
        "The source: a spring in the hills, he",
    ):
        assert not credited_names(credit(text)).size
    herald, guardian = (credit("x", publisher=name) for name in ("Harbour Herald", "The Guardian"))
    for text, named in (
        ("Originally published on theguardian.com.", guardian),
        ("This story originally appeared in the Guardian and is reprinted with permission.", guardian),
        ("Quelle: Harbour Herald", herald),
    ):
        assert np.isin(credited_names(credit(text)), own_names(named)).any()


def several_outlets() -> list[Article]:
    """Sixty copies of eight articles, mangled in several ways."""
    chance = random.Random(7)
    articles = []
    for n in range(60):
        number = chance.randrange(8)
        words = written(number).split(" ")
        for _ in range(chance.randrange(6)):
            words[chance.randrange(len(words))] = chance.choice(["the", "town", "said", "xyz"])
        text = " ".join(words)
        if chance.random() < 0.3:
            text += FOOTER
        if chance.random() < 0.3:
            text = "\n".join(text.split("\n")[:-1])
        articles.append(article(number, f"host{n % 9}.example", n * 1.7, text, f"story-{n // 2}"))
    return articles


@pytest.mark.parametrize(("seed", "count"), [(1, 1), (2, 3), (3, 8)])
def test_any_order_of_arrival_and_any_shards_have_one_outcome(seed: int, count: int) -> None:
    articles = several_outlets()
    expected = sequential(articles)
    random.Random(seed).shuffle(articles)
    found = marked(articles, shards=count)
    assert kinds(found) == expected
    groups = {one.id for one in found.values()}
    kept = {one.id for one in found.values() if one.duplicate_kind in ("unique", "revision")}
    assert {one.duplicate_of or one.id for one in found.values()} <= groups
    for one in found.values():
        while one.duplicate_of and one.duplicate_of != one.id:
            one = min((o for o in found.values() if o.id == one.duplicate_of), key=event_time)
        assert one.id in kept


def sequential(articles: Sequence[Article]) -> dict[str, tuple[str, str | None]]:
    """The same, one article after another through one shard, without Beam."""
    from newsbeam.transforms.duplicates.duplicates import Address, see
    from newsbeam.transforms.duplicates.duplicates import stages as stages_of

    config = DuplicatesConfig(shards=1)
    stages = [(stage.name, stage.memory(0)) for stage in stages_of(config)]
    out: list[Article] = []
    for one in sorted(articles, key=event_time):
        letters: dict[str, list[bytes]] = {}
        for sent in Address(config)(*see([one])):
            letters.setdefault(sent.to, []).append(sent.message)
        for name, memory in stages:
            if letters.get(name):
                done = memory.work(letters[name])
                assert not done.waiting
                out.extend(done.results)
                for sent in done.sent:
                    letters.setdefault(sent.to, []).append(sent.message)
    return kinds({one.origin.unit: one for one in out})


def test_memories_built_from_their_logs_say_the_same() -> None:
    articles = sorted(several_outlets(), key=event_time)
    whole = sequential(articles)
    COLLECTED.clear()
    from newsbeam.transforms.duplicates.duplicates import Address, see
    from newsbeam.transforms.duplicates.duplicates import stages as stages_of

    config = DuplicatesConfig(shards=1)
    logs: dict[str, list[bytes]] = {}
    out: list[Article] = []
    for chunk in range(0, len(articles), 6):
        memories = {stage.name: stage.memory(0) for stage in stages_of(config)}
        for name, log in logs.items():
            for entry in log:
                memories[name].replay(entry)
            if chunk % 12:
                log[:] = memories[name].compacted()
        letters: dict[str, list[bytes]] = {}
        for one in articles[chunk : chunk + 6]:
            for sent in Address(config)(*see([one])):
                letters.setdefault(sent.to, []).append(sent.message)
        for name, memory in memories.items():
            done = memory.work(letters[name])
            if done.learnt:
                logs.setdefault(name, []).append(done.learnt)
            out.extend(done.results)
            for sent in done.sent:
                letters.setdefault(sent.to, []).append(sent.message)
    assert kinds({one.origin.unit: one for one in out}) == whole


def test_an_input_that_is_delivered_twice_comes_out_twice_and_is_told_once() -> None:
    COLLECTED.clear()
    once = article(6, "a.example", 0)
    with beam.Pipeline() as pipeline:
        found = pipeline | beam.Create([once, once]) | MarkDuplicates(DuplicatesConfig())
        assert_that(found | beam.Map(lambda one: one.duplicate_kind), equal_to(["unique", "unchanged"]))


def test_an_id_that_is_none_is_refused() -> None:
    from newsbeam.transforms.model.order import article_key

    with pytest.raises(ValueError, match="20 hexadecimal digits"):
        article_key(replace(article(0, "a.example", 0), id="abc"))


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in ({"policy": "keep"}, {"survivor": "last"}, {"shards": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            DuplicatesConfig(**wrong)  # type: ignore[arg-type]


def test_a_pair_is_explained() -> None:
    copy = article(0, "b.example", 1, written(0).replace("2,300 people", "2,400 people") + FOOTER)
    found = explain_pair(copy, article(0, "a.example", 0))
    assert (found.earlier.domain, found.verdict) == ("a.example", "near")
    assert found.shared[-1].startswith("The ferry that links")
    assert found.numbers == (["2,300"], ["2,400"])
    assert found.missing == []
    assert found.diff == ""
    other = explain_pair(article(1, "a.example", 0), article(2, "b.example", 1))
    assert other.verdict == "unrelated"
    assert any("is not a near copy" in reason for reason in other.reasons)
    assert len(other.missing) == 1


def test_a_revision_is_explained_by_its_diff() -> None:
    old = article(3, "a.example", 0)
    new = article(3, "a.example", 1, written(3).replace("8 euros", "9 euros"))
    found = explain_pair(new, old)
    assert found.verdict == "revision"
    assert "-Five more concerts are planned. Tickets cost 8 euros" in found.diff
    assert "+Five more concerts are planned. Tickets cost 9 euros" in found.diff


PIECES = ["news ", "a", " 1,234.5", "!", ". ", "\n", "\u00ad", "é", "新华社", "。", "12:30 ", "quick brown fox "]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), max_size=9))
def test_texts_looked_at_together_have_the_features_of_each(texts: list[str]) -> None:
    together = features_of(texts)
    for text, seen in zip(texts, together, strict=True):
        for one, other in zip(features(text), seen, strict=True):
            assert np.array_equal(one, other)


@given(st.lists(st.sampled_from(PIECES), max_size=200).map("".join))
def test_features_are_what_they_are_said_to_be(text: str) -> None:
    seen = features(text)
    for hashes in (seen.anchors, seen.sketch, seen.numbers):
        assert (hashes[1:] > hashes[:-1]).all()
    assert int(seen.sentence_words.sum()) == seen.words
    for sentences in (seen.anchor_sentences, seen.sketch_sentences, seen.number_sentences):
        assert not sentences.size or int(sentences.max()) < seen.sentences.size


def test_a_text_of_any_length_has_features() -> None:
    for text in ("", "a" * 70_000, "ab " * 30_000, "ab. " * 20_000, "é" * 70_000):
        seen = features(text)
        assert seen.words == min(len(text.split()), len(text[:LONGEST_TEXT].split()))
    words = [f"word{n}" for n in range(3000)]
    assert features(" ".join(words)).anchors.size == ANCHOR_POOL
    assert features(" ".join(["the same five words again"] * 1000)).anchors.size == 5


def test_of_copies_with_one_time_the_one_that_is_named_first_stays() -> None:
    seen = "2024-03-01T12:00:00Z"
    for name, other in (("article-1003-a", "article-1007-b"), ("collection-2024-00012", "collection-2024-00013")):
        copies = [
            replace(
                article(2, f"{host}.example", 0, text=written(2) + more),
                origin=Origin(unit=unit, seen_at=seen, rank=f"{seen}|{unit}"),
            )
            for host, unit, more in (("a", other, ""), ("b", name, " One more sentence stands here."))
        ]
        assert kinds(marked(copies)) == {name: ("unique", None), other: ("near", name)}


@pytest.mark.parametrize(("words", "takes"), [(119, False), (120, True)])
def test_a_copy_takes_over_from_a_fifth_more_words_on(words: int, takes: bool) -> None:
    """As `survivor: fullest` counts them; of Chinese, letters."""
    earlier = Verdict(kind=NEAR, loss=0.1, of=bytes(42), revision=1, holds=0.95, words=100)
    for text in (" ".join(f"word{n}" for n in range(words)), "市" * words):
        article = Article(id="00" * 10, text=text)
        assert takes_over(article, earlier, DuplicatesConfig(survivor="fullest")) is takes
