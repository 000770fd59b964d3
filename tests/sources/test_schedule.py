import itertools
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.http.freshness import fresh_for, retry_after
from newsbeam.transforms.sources.polling.feed_shard import FeedShard
from newsbeam.transforms.sources.polling.poll import Polled
from newsbeam.transforms.sources.polling.schedule import FeedState, Poll, after_poll, pack, resumed, unpack, validators
from newsbeam.transforms.sources.polling.wishes import HOUR_S, Wishes, outside_skipped, wishes_of
from tests.support.http_site import POLICY

NUMBERS = POLICY.schedule
NOW = 1_756_720_800.0
DAY = 86_400.0
URL = "https://gazette.example.org/feed.xml"


def polled(state: FeedState, now: float = NOW, **poll: object) -> FeedState:
    return after_poll(URL, state, Poll(**{"status": 200, **poll}), now, NUMBERS).state  # type: ignore[arg-type]


def test_validators_go_back_byte_for_byte_once_the_body_is_safe() -> None:
    state = polled(FeedState(URL), headers={"etag": 'W/"x-gzip" ', "last-modified": "yesterday"})
    assert validators(state, NOW + 10, NUMBERS) == {"If-None-Match": 'W/"x-gzip" ', "If-Modified-Since": "yesterday"}


def test_a_body_that_could_not_be_used_leaves_the_old_validators_in_place() -> None:
    state = polled(FeedState(URL), headers={"etag": '"old"'})
    state = polled(state, NOW + 4000, headers={"etag": '"new"'}, reason="malformed", conditional=True)
    assert state.etag == '"old"'


def test_a_304_to_an_unconditional_request_is_a_failure() -> None:
    assert polled(FeedState(URL), status=304).reason == "unexpected_304"


def test_a_feed_that_is_gone_is_not_asked_again_and_one_that_is_missing_is() -> None:
    assert polled(FeedState(URL), status=410).next_poll_at == float("inf")
    assert polled(FeedState(URL), status=404).next_poll_at < NOW + DAY


@pytest.mark.parametrize("status", [301, 308])
def test_a_feed_moves_for_good_only_if_what_is_there_is_a_feed(status: int) -> None:
    new = "https://new.example.org/feed"
    assert polled(FeedState(URL), permanent_url=new).url == new
    assert polled(FeedState(URL), permanent_url=new, reason="not_a_feed").url == URL
    assert polled(FeedState(URL), permanent_url=new, status=404).url == URL


def test_a_throttled_feed_holds_its_whole_host() -> None:
    step = after_poll(URL, FeedState(URL), Poll(429, {"retry-after": "1800"}), NOW, NUMBERS)
    assert step.hold_host_until == NOW + 1800
    assert after_poll(URL, FeedState(URL), Poll(503, {}), NOW, NUMBERS).hold_host_until == 0


def test_a_retry_after_is_honoured_for_days_but_not_for_years() -> None:
    assert polled(FeedState(URL), status=429, headers={"retry-after": "317100"}).next_poll_at >= NOW + 317_100
    assert polled(FeedState(URL), status=429, headers={"retry-after": "9" * 30}).next_poll_at <= NOW + 8 * DAY


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"cache-control": "public, max-age=7200"}, 7200),
        ({"cache-control": "max-age=7200", "age": "6600"}, 600),
        ({"cache-control": "no-cache, max-age=7200"}, 0),
        ({"cache-control": "max-age=soon"}, 0),
        ({"cache-control": 'max-age="60"'}, 60),
        ({"expires": "Mon, 01 Sep 2025 12:00:00 GMT", "date": "Mon, 01 Sep 2025 10:00:00 GMT"}, 7200),
        ({"expires": "0"}, 0),
        ({"expires": "Mon, 99 Sep 2025"}, 0),
    ],
)
def test_freshness_is_read_as_the_rfc_has_it(headers: dict[str, str], wanted: float) -> None:
    assert fresh_for(headers, NOW) == wanted


def test_a_retry_date_is_judged_by_the_server_s_own_clock() -> None:
    headers = {"date": "Mon, 01 Sep 2025 10:00:00 GMT", "retry-after": "Mon, 01 Sep 2025 11:00:00 GMT"}
    assert retry_after(headers, NOW + 5 * DAY) == 3600


def test_an_interval_follows_what_a_feed_brings() -> None:
    quick = slow = FeedState(URL)
    now = then = NOW
    for _ in range(40):
        quick = polled(quick, now, brought=int(now // 900) - int(quick.last_success_at // 900))
        now = quick.next_poll_at
        slow = polled(slow, then, brought=0)
        then = slow.next_poll_at
    assert quick.interval_s <= 900
    assert slow.interval_s == NUMBERS.max_interval_s


@given(
    st.integers(0, 599) | st.sampled_from([200, 304, 410, 429, 503]),
    st.dictionaries(
        st.sampled_from(["etag", "last-modified", "cache-control", "expires", "retry-after", "age", "date"]),
        st.text(st.characters(max_codepoint=0x2FF, exclude_characters="\0"), max_size=30)  # HTTP has no NUL
        | st.sampled_from(["max-age=99999999999999999999999", "-1", "Mon, 01 Sep 2025 11:00:00"]),
    ),
    st.booleans(),
    st.integers(0, 50),
    st.floats(0, 1e12),
)
def test_no_answer_brings_a_poll_too_early_or_never(
    status: int, headers: dict[str, str], conditional: bool, brought: int, ttl: float
) -> None:
    state = polled(FeedState(URL), headers={"etag": '"1"'})
    poll = Poll(status, headers, conditional=conditional, brought=brought, wishes=Wishes(ttl))
    step = after_poll(URL, state, poll, NOW + 4000, NUMBERS)
    if status != 410:
        wait = step.state.next_poll_at - NOW - 4000
        assert NUMBERS.min_interval_s <= wait <= NUMBERS.retry_after_cap_s * 1.2
    assert unpack(pack(step.state)) == step.state


@given(st.builds(FeedState, st.text(st.characters(exclude_characters="\0"), max_size=40), polls=st.integers(0, 10**6)))
def test_a_state_survives_being_packed(state: FeedState) -> None:
    assert unpack(pack(state)) == state


def test_overdue_feeds_are_spread_after_a_start_and_the_others_wait_as_planned() -> None:
    late = replace(polled(FeedState(URL)), next_poll_at=NOW - 50)
    times = [resumed(f"{URL}{n}", late, NOW, 2000, NUMBERS).next_poll_at for n in range(2000)]
    assert max(times) - min(times) > 90
    early = replace(late, next_poll_at=NOW + 50)
    assert resumed(URL, early, NOW, 2000, NUMBERS).next_poll_at == NOW + 50


def test_a_clock_that_was_set_back_starves_nobody() -> None:
    state = polled(FeedState(URL))
    back = resumed(URL, state, NOW - 7200, 1, NUMBERS)
    assert back.next_poll_at == pytest.approx(state.next_poll_at - 7200)


def test_a_day_of_polls_is_never_early_and_unconditional_once() -> None:
    """24 hours, 300 feeds of every temper, one tick every five seconds, a server that always answers 304 or 200."""
    feeds = [f"https://host{n % 60}.example.org/{n}" for n in range(300)]
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    shard.load(feeds, {}, NOW)
    promised: dict[str, float] = {}
    bare: dict[str, int] = {}
    polls = early = 0
    for second in range(0, int(DAY), 5):
        now = NOW + second
        for ask in shard.due(now, 100):
            number = int(ask.feed_url.rpartition("/")[2])
            polls += 1
            early += now < promised.get(ask.feed_url, 0.0)
            bare[ask.feed_url] = bare.get(ask.feed_url, 0) + (not ask.headers)
            status = 304 if ask.headers and polls % 3 else 200
            headers = {"etag": f'"{polls}"', "cache-control": f"max-age={number * 30}"}
            poll = Poll(status, headers, conditional=bool(ask.headers))
            settled = shard.settle(ask.feed_url, Polled(poll), now)
            promised[ask.feed_url] = max(unpack(settled.state).next_poll_at, now + NUMBERS.min_interval_s)
            assert unpack(settled.state).next_poll_at >= now + min(number * 30, DAY)
    assert polls > 1000
    assert early == 0
    assert max(bare.values()) == 1


def test_the_daily_unconditional_request_comes_although_every_answer_is_304() -> None:
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    shard.load([URL], {}, NOW)
    bare = []
    for second in range(0, int(4 * DAY), 5):
        for ask in shard.due(NOW + second, 1):
            if not ask.headers:
                bare.append(second)
            poll = Poll(304 if ask.headers else 200, {"etag": '"stuck"'}, conditional=bool(ask.headers))
            shard.settle(URL, Polled(poll), NOW + second)
    assert len(bare) == 4
    assert all(DAY <= b - a <= DAY + 5 for a, b in itertools.pairwise(bare))


def test_a_poll_that_never_comes_back_is_started_again_later() -> None:
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    shard.load([URL], {}, NOW)
    assert len(shard.due(NOW + 1, 1)) == 1
    assert [len(shard.due(NOW + 1 + second, 1)) for second in range(10, 400, 10)].count(1) == 1


def test_one_host_never_has_more_polls_under_way_than_it_may() -> None:
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    shard.load([f"https://one.example.org/{n}" for n in range(50)], {}, NOW)
    asks = [ask for second in range(0, 30, 5) for ask in shard.due(NOW + second, 100)]
    assert len(asks) == 2


def test_a_throttled_host_is_left_alone_after_a_restart_too() -> None:
    throttled = polled(FeedState("https://one.example.org/a"), status=429, headers={"retry-after": "7200"})
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    urls = ["https://one.example.org/a", "https://one.example.org/b", "https://two.example.org/"]
    shard.load(urls, {urls[0]: pack(throttled)}, NOW + 60)
    asked = [ask.feed_url for second in range(60, 7200, 30) for ask in shard.due(NOW + second, 10)]
    assert set(asked) == {"https://two.example.org/"}


def test_what_a_feed_wishes_holds_until_its_document_says_otherwise() -> None:
    state = polled(FeedState(URL), headers={"etag": '"1"'}, wishes=Wishes(7200))
    state = polled(unpack(pack(state)), NOW + 7200, status=304, conditional=True)
    assert state.next_poll_at >= NOW + 14_400
    assert polled(state, NOW + 14_400, wishes=Wishes()).next_poll_at < NOW + 20_000


def test_a_feed_is_left_alone_in_the_hours_and_days_it_names() -> None:
    """Two weeks of a feed that is polled every five minutes, but not at night, and not at the weekend."""
    wishes = wishes_of(0.0, (0, 1, 2, 3, 4, 5), ("Saturday", "Sunday"))
    polls = []
    shard = FeedShard(replace(NUMBERS, default_interval_s=300, max_interval_s=300), 2, lambda _: b"")
    shard.load([URL], {}, NOW)
    for now in range(int(NOW), int(NOW + 14 * DAY), 30):
        for ask in shard.due(now, 10):
            polls.append(datetime.fromtimestamp(now, timezone.utc))
            failed = len(polls) % 5 == 0
            shard.settle(ask.feed_url, Polled(Poll(500 if failed else 200, wishes=wishes)), now)
    assert {poll.hour for poll in polls} == set(range(6, 24))
    assert {poll.weekday() for poll in polls} == {0, 1, 2, 3, 4}


def test_a_feed_that_is_overdue_in_an_hour_to_be_skipped_waits_until_it_is_over() -> None:
    midnight = NOW - NOW % DAY
    state = replace(polled(FeedState(URL), wishes=wishes_of(0.0, (0, 1), ())), next_poll_at=midnight - 50)
    shard = FeedShard(NUMBERS, 2, lambda _: b"")
    shard.load([URL], {URL: pack(state)}, midnight + 60)
    assert not any(shard.due(midnight + second, 10) for second in range(60, 7200, 60))
    assert any(shard.due(midnight + second, 10) for second in range(7200, 10_860, 60))


@given(st.floats(0, 4e9), st.integers(0, (1 << 24) - 1), st.integers(0, (1 << 7) - 1), st.floats(0, 0.99))
def test_a_wait_for_an_open_hour_ends_in_one_within_a_week(at: float, hours: int, days: int, spread: float) -> None:
    later = outside_skipped(at, wishes := Wishes(0.0, hours, days), spread)
    assert at <= later <= at + 7 * DAY + HOUR_S
    if hours != (1 << 24) - 1 and days != (1 << 7) - 1:
        assert outside_skipped(later, wishes) == later
