"""The DoFn of one stage with memory; see `runtime.shards` for what it is for.

A shard has these state cells:

- the buffer, for messages until they are worked through, a grain of event time at a go. Grains are laid on a fixed grid
  of event time, so that neither bundles nor the order of arrival decide what is worked through together: a watermark
  says when a grain is complete. Runners whose timers fire at once (the direct runner) give the same results as long as
  their source is in order.
- the log of what was learnt, appended to, and read only when a process sees the shard for the first time.
- the head of the log: its length and the hash of everything in it. A `Memory` stays in the process beside the head
  that it was built from; after a restart or a bundle that failed the heads differ, and it is built again from the log.
- the time for which its timer is set.
"""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam import coders
from apache_beam.metrics import Metrics
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp

from newsbeam.transforms.runtime.memories import LogStore, Memory, Sent, pack, unpack
from newsbeam.transforms.runtime.process_cache import ProcessCache

ShardMessage = tuple[int, bytes]
"""A shard, and the messages for it: one byte with the hop of the stage, then the messages as `pack` wrote them."""


_MILLISECOND = 1000
_LAST_TIMER: int = GlobalWindow().max_timestamp().micros
_WAITING = -(1 << 62)  # the due time of a message that was put back: worked whenever something else is
_STAMP = struct.Struct("<q")
_HEAD = struct.Struct("<QQ16s")
_COMPACT_FROM = 1 << 20  # bytes of a log; a shorter one is built again in a few milliseconds


class Grid(NamedTuple):
    """Fixed grains of event time.

    Args:
        grain_seconds: how much time is worked through together.
        hop: the stage's number in its pipeline. What one stage sends when a grain is complete bears that moment, so the
            next stage's grain is complete a millisecond later.
    """

    grain_seconds: float
    hop: int = 0

    def due(self, micros: int) -> int:
        """When (in microseconds) the grain that `micros` lies in is complete: later than `micros`."""
        grain, shift = int(self.grain_seconds * 1_000_000), self.hop * _MILLISECOND
        return min((micros - shift) // grain * grain + grain + shift, _LAST_TIMER)


class ShardStage(NamedTuple):
    """One stage of a line.

    Args:
        name: as counters and `WarmStart` show it, and as messages are addressed to it.
        memory: makes the memory of a shard from its number; picklable, with a `repr` that tells its configuration.
        log_format: a new number where entries of the log are written in another way: older logs are not read then.
    """

    name: str
    memory: Callable[[int], Memory]
    log_format: int = 1

    def stored_as(self) -> str:
        """What the store of logs calls it."""
        return self.name if self.log_format == 1 else f"{self.name} {self.log_format}"


_memories: ProcessCache[Memory] = ProcessCache()
"""The memories of this process, each beside the head of the log it was built from."""


class Cells(NamedTuple):
    """The state cells and the timer of one shard, as Beam gives them to a DoFn."""

    buffer: Any
    log: Any
    head: Any
    armed: Any
    timer: Any


class StageDoFn(beam.DoFn):
    """One stage of a line. Its subclasses, one a hop, differ only in the name of their timer.

    Args:
        hop: the stage's hop in its pipeline.
        stage: its name and its memories.
        grid: when its grains are complete.
        hops: of all stages of its line, by name.
        store: of the logs; None where they are in the runner's state.
        logged: whether logs are kept in the runner's state.
    """

    BUFFER = BagStateSpec("buffer", coders.BytesCoder())
    LOG = BagStateSpec("log", coders.BytesCoder())
    HEAD = ReadModifyWriteStateSpec("head", coders.BytesCoder())
    ARMED = ReadModifyWriteStateSpec("armed", coders.BytesCoder())

    def __init__(
        self, stage: ShardStage, grid: Grid, hops: Mapping[str, int], store: LogStore | None, logged: bool = True
    ) -> None:
        self._stage = stage
        self._logged = logged
        self._grid = grid
        self._hops = hops
        self._store = store
        self._cached_as = f"hop {grid.hop} {stage!r} {store!r}"
        self._armed: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        self._rebuilt = Metrics.counter("shards", f"{stage.name}: memories built from their log")
        self._compacted = Metrics.counter("shards", f"{stage.name}: logs compacted")

    def __reduce__(self) -> Any:
        return shards_at, (self._stage, self._grid, self._hops, self._store, self._logged)

    def start_bundle(self) -> None:
        self._armed = {}

    def receive(self, message: ShardMessage, timestamp: Timestamp, cells: Cells) -> None:
        """Puts a message into the buffer of its shard, and sets the timer if its grain is the next to be complete."""
        shard, packed = message
        due = self._grid.due(timestamp.micros)
        cells.buffer.add(_STAMP.pack(due) + packed[1:])
        if shard not in self._armed:
            set_before = cells.armed.read()
            self._armed[shard] = _STAMP.unpack(set_before)[0] if set_before else MAX_TIMESTAMP.micros
        # Only ever moved to an earlier grain: a timer moved on by each message would never fire on a busy stream.
        if due < self._armed[shard]:
            self._armed[shard] = due
            self._set_timer(due, cells)

    def fire(self, shard: int, cells: Cells) -> Iterator[Any]:
        """Works through the messages of all grains that are complete; yields messages to send, then results."""
        was_armed = cells.armed.read()
        if not was_armed:
            return
        self._armed.pop(shard, None)
        ready = self._take_ready(_STAMP.unpack(was_armed)[0], cells)
        if not ready:
            return
        old_head = cells.head.read() or b""
        memory = self._memory_of(shard, old_head, cells.log)
        done = memory.work(ready)
        if done.waiting:
            cells.buffer.add(_STAMP.pack(_WAITING) + pack(done.waiting))
        new_head = old_head
        if done.learnt:
            new_head = self._learn(shard, memory, done.learnt, old_head, cells.log)
            cells.head.write(new_head)
        _memories.put(self._cached_as, shard, memory, new_head)
        yield from addressed(done.sent, self._hops)
        yield from done.results

    def _take_ready(self, due: int, cells: Cells) -> list[bytes]:
        """Takes the messages of grains complete at `due` out of the buffer; sets the timer for those that stay."""
        ready: list[bytes] = []
        later: list[bytes] = []
        for entry in cells.buffer.read():
            if _STAMP.unpack_from(entry)[0] <= due:
                ready.extend(unpack(entry[_STAMP.size :]))
            else:
                later.append(entry)
        cells.buffer.clear()
        for entry in later:
            cells.buffer.add(entry)
        if later:
            self._set_timer(min(_STAMP.unpack_from(entry)[0] for entry in later), cells)
        else:
            cells.armed.clear()
        return ready

    def _set_timer(self, due: int, cells: Cells) -> None:
        cells.armed.write(_STAMP.pack(due))
        cells.timer.set(Timestamp(micros=due))

    def _memory_of(self, shard: int, head: bytes, log: Any) -> Memory:
        """The memory of a shard, from this process or built again from its log."""
        cached = _memories.take(self._cached_as, shard, head)
        if cached is not None:
            return cached
        memory = self._stage.memory(shard)
        if self._store is not None:
            self._stored[shard] = 0
            for entry in self._store.entries(self._stage.stored_as(), shard):
                memory.replay(entry)
                self._stored[shard] += len(entry)
        elif head:
            if not self._logged:
                raise RuntimeError(
                    f"{self._stage.name}: the memory of shard {shard} is lost, and this run keeps no logs"
                )
            self._rebuilt.inc()
            for entry in sorted(log.read()):  # a bag has no order; entries begin with their number
                memory.replay(entry[8:])
        return memory

    def _learn(self, shard: int, memory: Memory, learnt: bytes, head: bytes, log: Any) -> bytes:
        """Appends to the log, or writes it anew if most of it is out of date; returns its new head."""
        number, size, digest = _HEAD.unpack(head) if head else (0, self._stored.get(shard, 0), b"")
        entries: list[bytes] = [learnt]
        # Memories forget when their log is compacted, and so also where none is kept.
        compacts = size > _COMPACT_FROM and size > 2 * memory.live_bytes()
        if compacts:
            self._compacted.inc()
            log.clear()
            entries, size = list(memory.compacted()), 0
        if self._store is not None:
            self._store.append(self._stage.stored_as(), shard, entries, compacts)
        for entry in entries:
            if self._store is None and self._logged:
                log.add(number.to_bytes(8, "big") + entry)
            digest = hashlib.blake2b(digest + entry, digest_size=16).digest()
            number, size = number + 1, size + len(entry)
        return _HEAD.pack(number, size, digest)

    def teardown(self) -> None:
        _memories.clear(self._cached_as)


@cache
def class_at(hop: int) -> type[StageDoFn]:
    """Returns a DoFn class whose timer has a name that no other hop has.

    Beam reads the timer from the default arguments of `process`, so that each name needs a class. The direct runner
    keeps timers by their name alone, and loses some if two stages that it has fused share one.
    """
    due = TimerSpec(f"due at hop {hop}", TimeDomain.WATERMARK)

    class Shards(StageDoFn):
        def process(
            self,
            element: ShardMessage,
            timestamp: Timestamp = beam.DoFn.TimestampParam,
            buffer: Any = beam.DoFn.StateParam(StageDoFn.BUFFER),
            armed: Any = beam.DoFn.StateParam(StageDoFn.ARMED),
            timer: Any = beam.DoFn.TimerParam(due),
        ) -> Sequence[ShardMessage] | None:
            if element[1][0] != hop:
                return (element,)
            self.receive(element, timestamp, Cells(buffer, None, None, armed, timer))
            return ()  # None would be logged as a mistake

        @on_timer(due)
        def work(
            self,
            shard: int = beam.DoFn.KeyParam,
            buffer: Any = beam.DoFn.StateParam(StageDoFn.BUFFER),
            log: Any = beam.DoFn.StateParam(StageDoFn.LOG),
            head: Any = beam.DoFn.StateParam(StageDoFn.HEAD),
            armed: Any = beam.DoFn.StateParam(StageDoFn.ARMED),
            timer: Any = beam.DoFn.TimerParam(due),
        ) -> Iterator[Any]:
            return self.fire(shard, Cells(buffer, log, head, armed, timer))

    Shards.__name__ = Shards.__qualname__ = f"Shards{hop}"
    return Shards


def shards_at(
    stage: ShardStage, grid: Grid, hops: Mapping[str, int], store: LogStore | None, logged: bool
) -> StageDoFn:
    """Makes the DoFn of a stage. It is pickled as a call of this function, so that every worker makes its class."""
    return class_at(grid.hop)(stage, grid, hops, store, logged)


def addressed(sent: Iterable[Sent], hops: Mapping[str, int]) -> Iterator[ShardMessage]:
    """Packs messages as they travel: all for one shard of one stage together."""
    messages_to: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    for to, shard, message in sent:
        messages_to[to, shard].append(message)
    for (to, shard), messages in messages_to.items():
        yield shard, bytes((hops[to],)) + pack(messages)
