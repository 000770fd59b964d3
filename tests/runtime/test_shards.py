"""Shards: what is remembered survives bundles, failures and restarts, and bundling never shows in what comes out."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms import core
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.runtime.memories import Work, pack, shard_of, unpack
from newsbeam.transforms.runtime.process_cache import clear_process_caches
from newsbeam.transforms.runtime.shards import Grid, ShardLine, ShardStage
from newsbeam.transforms.runtime.stage_dofn import Cells, StageDoFn
from tests.support.shards import ByName, Visit, VisitMemory, Visits, counting


class Pairing:
    """Waits for a second message of the same name, remembers nothing."""

    def replay(self, entry: bytes) -> None:
        raise AssertionError

    def work(self, messages: Sequence[bytes]) -> Work:
        names = sorted(m.decode().split(":")[1] for m in messages)
        paired = {n for n in names if names.count(n) == 2}
        return Work(results=sorted(paired), waiting=[m for m in messages if m.decode().split(":")[1] not in paired])

    def live_bytes(self) -> int:
        return 0

    def compacted(self) -> Iterable[bytes]:
        return ()


def a_pairing(shard: int) -> Pairing:
    return Pairing()


def counted(visits: Iterable[Visit]) -> list[tuple[str, int, int]]:
    counts: dict[str, int] = {}
    expected = []
    for visit in sorted(visits):
        counts[visit.name] = counts.get(visit.name, 0) + 1
        expected.append((visit.name, visit.time, counts[visit.name]))
    return expected


VISITS = [Visit(t, f"n{random.Random(t).randrange(7)}") for t in range(300)]


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_what_was_packed_comes_out_again(messages: list[bytes]) -> None:
    assert unpack(pack(messages)) == messages


@given(st.integers(-(10**15), 10**15), st.floats(0.01, 10**6), st.integers(0, 20))
def test_a_grain_completes_after_all_in_it_and_one_millisecond_later_at_the_next_hop(
    micros: int, seconds: float, hop: int
) -> None:
    due = Grid(seconds, hop).due(micros)
    assert micros < due <= micros + int(seconds * 1_000_000)
    assert Grid(seconds, hop + 1).due(due) == due + 1000


def test_the_shard_of_a_key_is_the_same_in_every_process() -> None:
    assert [shard_of(key, 1000) for key in (b"", b"a", b"https://example.org/")] == [756, 928, 174]


@pytest.mark.parametrize(("seed", "count", "grain"), [(1, 1, 1000.0), (2, 3, 50.0), (3, 8, 10.0)])
def test_order_of_arrival_shards_and_grains_do_not_show(seed: int, count: int, grain: float) -> None:
    visits = list(VISITS)
    random.Random(seed).shuffle(visits)
    with beam.Pipeline() as pipeline:
        stamped = (
            pipeline
            | beam.Create(visits)
            | "Stamp" >> beam.Map(lambda visit: TimestampedValue(visit, visit.time)).with_output_types(Visit)
        )
        one = stamped | "One" >> counting(count, "a", grain=grain)
        three = stamped | "Three" >> counting(count, "a", "b", "c", grain=grain)
        assert_that(one, equal_to(counted(VISITS)), label="One hop")
        assert_that(three, equal_to(counted(Visit(visit.time, "all") for visit in VISITS)), label="Three hops")


def test_a_message_waits_until_its_answer_comes() -> None:
    with beam.Pipeline() as pipeline:
        early = pipeline | "Early" >> beam.Create([Visit(1, "a"), Visit(2, "b")])
        late = pipeline | "Late" >> beam.Create([Visit(3, "b"), Visit(4, "a"), Visit(5, "c")])
        line = ShardLine(ByName(1, "pair"), [ShardStage("pair", a_pairing)], str)
        assert_that((early, late) | beam.Flatten() | line, equal_to(["a", "b"]))


class Bag:
    """A state cell as a runner keeps it: appended to, cleared, read in any order."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def read(self) -> list[bytes]:
        return self.values[::-1]

    def add(self, value: bytes) -> None:
        self.values = [*self.values, value]

    def clear(self) -> None:
        self.values = []


class Value(Bag):
    def read(self) -> Any:
        return self.values[0] if self.values else None

    def write(self, value: bytes) -> None:
        self.values = [value]


class Timer:
    at: Any = None

    def set(self, at: Timestamp) -> None:
        self.at = at


class Shard:
    """One key of the stateful DoFn with cells that can be rolled back, as a runner does when a bundle fails."""

    def __init__(self, memory: Any, logged: bool = True) -> None:
        self.dofn = StageDoFn(ShardStage("test", memory), Grid(10), {}, None, logged)
        self.buffer, self.log, self.head, self.armed, self.timer = Bag(), Bag(), Value(), Value(), Timer()
        self.dofn.start_bundle()

    def bundle(self, visits: Iterable[Visit]) -> list[Any]:
        self.dofn.start_bundle()
        for visit in visits:
            message = (0, b"." + pack([f"{visit.time}:{visit.name}".encode()]))
            self.dofn.receive(message, Timestamp(visit.time), self.given())
        return self.fire()

    def given(self) -> Cells:
        return Cells(self.buffer, self.log, self.head, self.armed, self.timer)

    def fire(self) -> list[Any]:
        return list(self.dofn.fire(0, self.given()))

    def cells(self) -> list[list[bytes]]:
        return [cell.values for cell in (self.buffer, self.log, self.head, self.armed)]

    def roll_back(self, cells: list[list[bytes]]) -> None:
        self.buffer.values, self.log.values, self.head.values, self.armed.values = cells


@pytest.fixture
def shard() -> Shard:
    return Shard(Visits())


def test_a_bundle_that_failed_is_forgotten(shard: Shard) -> None:
    assert shard.bundle([Visit(1, "a"), Visit(2, "a")]) == [("a", 1, 1), ("a", 2, 2)]
    before = shard.cells()
    assert shard.bundle([Visit(11, "a")]) == [("a", 11, 3)]
    shard.roll_back(before)
    assert shard.bundle([Visit(11, "a")]) == [("a", 11, 3)]


def test_a_new_process_remembers_what_the_old_one_learnt(shard: Shard) -> None:
    shard.bundle([Visit(1, "a")])
    shard.bundle([Visit(11, "b"), Visit(12, "a")])
    clear_process_caches()
    assert shard.bundle([Visit(21, "a"), Visit(22, "b")]) == [("a", 21, 3), ("b", 22, 2)]


def test_without_a_log_nothing_is_kept_and_a_loss_is_never_silent() -> None:
    shard = Shard(Visits(), logged=False)
    assert shard.bundle([Visit(1, "a")]) == [("a", 1, 1)]
    assert shard.bundle([Visit(11, "a")]) == [("a", 11, 2)]
    assert shard.log.values == []
    clear_process_caches()
    with pytest.raises(RuntimeError, match="test: the memory of shard 0 is lost"):
        shard.bundle([Visit(21, "a")])


def test_the_log_is_not_read_while_the_process_lives(shard: Shard) -> None:
    shard.bundle([Visit(1, "a")])
    shard.log.read = lambda: pytest.fail("the log was read")  # type: ignore[method-assign]
    assert shard.bundle([Visit(11, "a")]) == [("a", 11, 2)]


def test_a_later_grain_waits_for_its_own_time(shard: Shard) -> None:
    assert shard.bundle([Visit(25, "a"), Visit(1, "b"), Visit(3, "a")]) == [("b", 1, 1), ("a", 3, 1)]
    assert shard.timer.at == Timestamp(30)
    assert shard.fire() == [("a", 25, 2)]


def test_later_messages_do_not_put_off_what_is_due(shard: Shard) -> None:
    shard.dofn.receive((0, b"." + pack([b"1:a"])), Timestamp(1), shard.given())
    shard.dofn.start_bundle()
    shard.dofn.receive((0, b"." + pack([b"99:a"])), Timestamp(99), shard.given())
    assert shard.timer.at == Timestamp(10)


@pytest.mark.parametrize("logged", [True, False])
def test_a_memory_forgets_as_it_grows_with_a_log_or_without(logged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    forgot = []
    compacted = VisitMemory.compacted
    monkeypatch.setattr(VisitMemory, "compacted", lambda memory: forgot.append(1) or compacted(memory))
    shard = Shard(Visits(fills=300_000), logged)
    for turn in range(12):
        shard.bundle([Visit(turn * 10, "a")])
    assert 2 <= len(forgot) <= 4


def test_the_log_is_compacted_and_still_tells_everything() -> None:
    shard = Shard(Visits(fills=300_000))
    longest = 0
    for turn in range(12):
        shard.bundle([Visit(turn * 10, "a")])
        longest = max(longest, sum(map(len, shard.log.values)))
    assert longest < 2_000_000
    clear_process_caches()
    assert shard.bundle([Visit(500, "a")]) == [("a", 500, 13)]


@dataclass(frozen=True)
class Before:
    def entries(self, stage: str, shard: int) -> Iterable[bytes]:
        return [f"a={len(stage)}".encode()]

    def append(self, stage: str, shard: int, entries: Iterable[bytes], instead: bool) -> None:
        assert not instead


def test_a_shard_knows_what_the_store_has_from_earlier_runs() -> None:
    with beam.Pipeline() as pipeline:
        visits = pipeline | beam.Create([Visit(1, "a")])
        assert_that(visits | counting(1, "count", store=Before()), equal_to([("a", 1, 6)]))


class Chunks(core.RestrictionProvider):
    def initial_restriction(self, element: Any) -> OffsetRange:
        return OffsetRange(0, 5)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: Any, restriction: OffsetRange) -> int:
        return 1


EVENTS: list[tuple[str, int]] = []


class ChunkedSource(beam.DoFn):
    def process(self, element: Any, tracker: Any = beam.DoFn.RestrictionParam(Chunks())) -> Iterator[Any]:  # type: ignore[override]
        chunk = tracker.current_restriction().start
        if tracker.try_claim(chunk):
            EVENTS.append(("read", chunk))
            for visit in VISITS[chunk * 60 : chunk * 60 + 60]:
                yield TimestampedValue(visit, visit.time)
            tracker.defer_remainder(Duration(0))


class Note(beam.DoFn):
    def process(self, element: tuple[str, int, int]) -> Iterator[tuple[str, int, int]]:
        EVENTS.append(("counted", element[1] // 60))
        yield element


def test_results_flow_while_the_source_is_still_being_read() -> None:
    EVENTS.clear()
    with beam.Pipeline() as pipeline:
        visits = pipeline | beam.Impulse() | beam.ParDo(ChunkedSource()).with_output_types(Visit)
        out = visits | counting(2, "a", "b", "c") | beam.ParDo(Note())
        assert_that(out, equal_to(counted(Visit(v.time, "all") for v in VISITS)))
    assert max(EVENTS.index(("counted", chunk)) for chunk in range(2)) < EVENTS.index(("read", 4))
