import sqlite3
import threading
from pathlib import Path

import pytest

from newsbeam.transforms.feeds.document import FurtherDocument, ParsedFeed, RejectedEntry
from newsbeam.transforms.http.policy import policy_from
from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.records import DeadLetter, Entry
from newsbeam.transforms.sources.feed_source import FeedSource, SourcesFile, shard_of_url
from newsbeam.transforms.sources.polling.feed_memory import LedgerFeedMemory, ShardMemory
from newsbeam.transforms.sources.polling.feed_shard import Discovery, FeedShard, Settled
from newsbeam.transforms.sources.polling.known_entries import merged_known, unpack_known
from newsbeam.transforms.sources.polling.poll import Polled
from newsbeam.transforms.sources.polling.schedule import FeedState, Poll, pack, unpack
from tests.support.http_site import POLICY

NOW = 1_756_720_800.0
URL = "https://gazette.example.org/feed.xml"


def entry(number: int, text: str = "0") -> Entry:
    link = f"https://gazette.example.org/{number}"
    return Entry(URL, link, f"link:{link}", title=f"T{number}", content_hash=text.ljust(16, "0"))


def polled(*entries: Entry, rejected: tuple[RejectedEntry, ...] = (), **poll: object) -> Polled:
    told = Poll(**{"status": 200, **poll})  # type: ignore[arg-type]
    return Polled(told, ParsedFeed(URL, "rss", entries=entries, rejected=rejected))


def reader() -> tuple[FeedShard, ShardMemory]:
    memory = ShardMemory()
    shard = FeedShard(POLICY.schedule, 2, memory.known)
    shard.load([URL], {}, NOW)
    return shard, memory


def poll(shard: FeedShard, memory: ShardMemory, result: Polled, now: float) -> Settled:
    settled = shard.settle(URL, result, now)
    memory.save([settled])
    return settled


def test_an_entry_is_new_once_and_an_edit_is_new_again() -> None:
    shard, memory = reader()
    first = poll(shard, memory, polled(entry(1), entry(2)), NOW)
    assert [one.edited for one in first.discoveries] == [False, False]
    again = poll(shard, memory, polled(entry(2), entry(1)), NOW + 4000)
    assert not again.discoveries
    edit = poll(shard, memory, polled(entry(1, "f"), entry(2)), NOW + 8000)
    assert [(one.entry.title, one.edited) for one in edit.discoveries] == [("T1", True)]
    assert edit.discoveries[0].unit != first.discoveries[0].unit


def test_a_feed_that_fails_says_so_once_until_the_reason_changes() -> None:
    shard, memory = reader()
    reasons = []
    for number, status in enumerate([500, 500, 503, 200, 500]):
        settled = poll(shard, memory, Polled(Poll(status), message="m"), NOW + number * 90_000)
        reasons.append([letter.reason for letter in settled.letters])
    assert reasons == [["http_500"], [], ["http_503"], [], ["http_500"]]


def test_an_entry_that_can_be_none_is_one_dead_letter() -> None:
    shard, memory = reader()
    refused = RejectedEntry("no_identity", "has nothing", "content:1")
    first = poll(shard, memory, polled(entry(1), rejected=(refused,)), NOW)
    assert [letter.reason for letter in first.letters] == ["no_identity"]
    assert poll(shard, memory, polled(entry(1), rejected=(refused,)), NOW + 4000).letters == []


def test_the_newest_children_of_a_sitemap_index_are_adopted_and_survive_a_restart() -> None:
    shard, memory = reader()
    children = [FurtherDocument(f"{URL}/{day:02}", "sitemap", updated_at=f"2025-08-{day:02}") for day in range(1, 31)]
    adopted = shard.adopt(URL, children, NOW)
    memory.save(adopted)
    assert len(adopted) == 10
    assert f"{URL}/30" in memory.states()
    assert unpack(memory.states()[f"{URL}/30"]).parent == URL
    assert shard.adopt(URL, children, NOW) == []


def test_a_source_may_ask_for_fewer_polls() -> None:
    shard = FeedShard(POLICY.schedule, 2, lambda _: b"", {URL: FeedSource(URL, interval_s=7200)})
    shard.load([URL], {}, NOW)
    shard.settle(URL, polled(entry(1)), NOW)
    assert shard.state(URL).next_poll_at >= NOW + 7200


def test_known_entries_are_kept_while_they_are_in_the_feed_and_a_thousand_beyond() -> None:
    old = {f"{n:016x}": "0" * 16 for n in range(3000)}
    packed = merged_known(old, {"f" * 16: "1" * 16}, ["f" * 16, f"{2999:016x}"])
    known = unpack_known(packed)
    assert list(known)[:2] == ["f" * 16, f"{2999:016x}"]
    assert len(known) == 1002


def test_the_ledger_hands_on_only_what_it_did_not_have(tmp_path: Path) -> None:
    memory = LedgerFeedMemory(str(tmp_path / "ledger.db"), "run")
    one = Settled(URL, pack(FeedState(URL)), b"", [Discovery("entry:1", entry(1), "2025-09-01T10:00:00Z")])
    assert [found.unit for found in memory.save([one])] == ["entry:1"]
    assert memory.save([one]) == []


def test_the_ledger_keeps_entries_until_they_are_settled_and_letters_too(tmp_path: Path) -> None:
    file = str(tmp_path / "ledger.db")
    Ledger(file).create()
    memory = LedgerFeedMemory(file, "run")
    odd = Discovery("entry:1", entry(1), "2025-09-01T10:00:00Z", edited=True)
    odd = Discovery(odd.unit, Entry(URL, "", "x", title="lone \ud800 surrogate", authors=("A", "B")), odd.seen_at, True)
    letter = DeadLetter("discover", "http_500", "m", unit="feed:1", feed_url=URL)
    memory.save([Settled(URL, pack(FeedState(URL)), None, [odd], [letter])])
    again = LedgerFeedMemory(file, "next run")
    assert set(map(repr, again.pending())) == {repr(odd), repr(letter)}
    with sqlite3.connect(file) as database:
        database.execute("UPDATE units SET settled_in = 'run' WHERE unit = 'entry:1'")
    assert again.pending() == [letter]


def test_a_save_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    memory = LedgerFeedMemory(str(tmp_path / "ledger.db"), "run")
    good = Settled(URL, pack(FeedState(URL)), b"", [Discovery("entry:1", entry(1), "2025-09-01T10:00:00Z")])
    bad = Settled(URL + "2", None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        memory.save([good, bad])
    assert memory.states() == {}
    assert [found.unit for found in memory.save([good])] == ["entry:1"]


def test_a_shard_s_memory_survives_as_a_snapshot() -> None:
    memory = ShardMemory()
    memory.save([Settled(URL, pack(FeedState(URL, etag='"ü"')), b"\x01" * 16)])
    again = ShardMemory(memory.snapshot())
    assert (again.states(), again.known(URL)) == (memory.states(), b"\x01" * 16)


def test_all_feeds_of_a_host_are_in_one_shard() -> None:
    shards = {shard_of_url(f"http://Gazette.example.org:{port}/{port}", 64) for port in (80, 81)}
    assert len(shards) == 1


def test_a_list_of_feeds_is_read_without_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "feeds.txt"
    file.write_text(f"# ours\n{URL}\n\n{URL}\nhttps://b.example.org/\n")
    assert [source.url for source in SourcesFile(str(file)).feeds()] == [URL, "https://b.example.org/"]


def test_a_policy_tells_all_its_mistakes_at_once() -> None:
    with pytest.raises(ValueError, match=r"min_interval_s. must be a number.*|.*") as mistakes:
        policy_from({"schedule": {"min_interval_s": "soon", "colour": 3}, "fetch": {}})
    assert "`schedule.colour` is no setting" in str(mistakes.value)
    assert "`schedule.jitter` is missing" in str(mistakes.value)
    assert "`schedule.min_interval_s` must be a number" in str(mistakes.value)


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    """The disk is as full as SQLite can make it, and has room again after a second."""
    memory = LedgerFeedMemory(str(tmp_path / "ledger.db"), "run")
    database = memory._database
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    large = [Settled(f"{URL}{n}", pack(FeedState(URL)), b"\0" * 4096) for n in range(50)]
    one = Settled(URL, pack(FeedState(URL)), b"", [Discovery("entry:1", entry(1), "2025-09-01T10:00:00Z")])
    with pytest.raises(sqlite3.OperationalError, match="full"):
        memory._save([*large, one])
    room = threading.Timer(0.5, lambda: database.execute("PRAGMA max_page_count = 1000000"))
    room.start()
    assert [found.unit for found in memory.save([*large, one])] == ["entry:1"]
    assert len(memory.states()) == 51
