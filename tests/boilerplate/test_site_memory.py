"""What a host repeats is boilerplate; what a copy of the same story repeats is not."""

import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.boilerplate.site_memory import Printed, SiteMemory, drop_repeats, printed, unpack_printed
from newsbeam.transforms.boilerplate.site_repeats import SiteConfig, SiteShard, message
from newsbeam.transforms.boilerplate.strip import all_lines
from newsbeam.transforms.model.records import Article, Origin, RemovedBlock

DAY = 86_400_000_000
FOOTER = "This paper is printed on the quay at Saltmarsh and has been since the spring of 1911."


def article(number: int, *extra: str, host: str = "courier.example") -> Article:
    own = [f"Paragraph {number}.{line} of a story that no other page of this paper has ever told." for line in range(6)]
    return Article(id=f"a{number:03d}", url=f"https://{host}/{number}", domain=host, text="\n".join([*own, *extra]))


def places(memory: SiteMemory, one: Article, micros: int) -> tuple[int, ...]:
    signature = printed(one, micros)
    flagged = memory.judge(signature)
    memory.learn(signature)
    return flagged


def test_a_line_is_flagged_from_the_third_different_article_on() -> None:
    memory = SiteMemory()
    flags = [places(memory, article(number, FOOTER), number) for number in range(4)]
    assert flags == [(), (), (6,), (6,)]


def test_another_host_has_a_memory_of_its_own() -> None:
    memory = SiteMemory()
    for number in range(3):
        places(memory, article(number, FOOTER), number)
    assert places(memory, article(9, FOOTER, host="other.example"), 9) == ()


def test_copies_of_a_story_do_not_vote_against_it() -> None:
    memory = SiteMemory()
    story = article(1, FOOTER)
    for number in range(6):
        assert places(memory, replace(story, id=f"copy{number}"), number) == ()


def test_copies_of_each_other_are_one_voter() -> None:
    memory = SiteMemory()
    for number in range(5):
        places(memory, replace(article(1, FOOTER), id=f"copy{number}"), number)
    assert places(memory, article(2, FOOTER), 7) == ()
    assert places(memory, article(3, FOOTER), 8) == (6,)


def test_a_short_line_needs_one_voter_more() -> None:
    memory = SiteMemory()
    flags = [places(memory, article(number, "A harder winter ahead"), number) for number in range(5)]
    assert flags == [(), (), (), (6,), (6,)]


def test_lines_that_differ_in_a_digit_are_different() -> None:
    memory = SiteMemory()
    for number in range(6):
        assert (
            places(memory, article(number, f"The river stood at {number} metres at noon on the day of the report."), 1)
            == ()
        )


def test_what_is_older_than_the_horizon_is_forgotten() -> None:
    memory = SiteMemory(horizon_hours=24)
    for number in range(3):
        places(memory, article(number, FOOTER), number)
    assert places(memory, article(8, FOOTER), 3 * DAY) == ()


def test_flagged_lines_go_on_record_and_the_numbers_stay() -> None:
    one = article(1, FOOTER)
    one = replace(one, removed_blocks=(RemovedBlock("share", "Share", 7),))
    cleaned = drop_repeats(one, (6,))
    assert all_lines(cleaned)[6] == (FOOTER, "site_repeat")
    assert [line for line, _ in all_lines(cleaned)] == [line for line, _ in all_lines(one)]
    assert drop_repeats(one, tuple(range(7))) == one


def stream(seed: int) -> list[bytes]:
    rnd = random.Random(seed)
    shared = [FOOTER, "Follow the paper on the pages that it keeps with other companies.", "Corrections", "A note"]
    return [
        message(
            replace(
                article(number, *rnd.sample(shared, rnd.randrange(4)), host=rnd.choice(["a.ex", "b.ex"])),
                origin=Origin(unit=str(number), seen_at=f"2024-03-25T19:08:{number:02}Z"),
            )
        )
        for number in range(30)
    ]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 29), max_size=4))
def test_arrival_order_restarts_and_compaction_change_no_verdict(seed: int, cuts: list[int]) -> None:
    messages = stream(seed)
    whole = list(SiteShard(SiteConfig()).work(messages).results)
    shard, log = SiteShard(SiteConfig()), b""
    results: list[Article] = []
    edges = [0, *sorted(set(cuts)), len(messages)]
    for start, end in pairwise(edges):
        grain = messages[start:end]
        random.Random(seed).shuffle(grain)
        work = shard.work(grain)
        results += work.results
        log += work.learnt
        entries = [log] if start % 2 else list(shard.compacted())
        shard = SiteShard(SiteConfig())
        for entry in entries:
            shard.replay(entry)
    assert results == whole


def test_an_article_worked_through_again_after_a_crash_has_the_same_verdict() -> None:
    messages = stream(7)
    shard = SiteShard(SiteConfig())
    whole = list(shard.work(messages).results)
    assert list(shard.work(messages[5:9]).results) == whole[5:9]
    assert sum(len(one.removed_blocks) for one in whole) > 5


def test_a_signature_survives_its_bytes() -> None:
    one = printed(article(3, FOOTER), 1_700_000_000_000_000)
    assert unpack_printed(one.packed()) == one
    assert isinstance(one, Printed)
    assert len(one.packed()) == 26 + 8 * 7


def test_the_memory_of_a_host_is_bounded() -> None:
    memory = SiteMemory()
    sizes = []
    for number in range(200):
        memory.learn(printed(article(number, FOOTER), number * 1_000_000))
        sizes.append(memory.live_bytes())
    assert sizes[199] == sizes[100] > sizes[10]
    assert places(memory, article(500, FOOTER), 300_000_000) == (6,)
