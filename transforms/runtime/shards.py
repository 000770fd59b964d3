"""Keyed state, once: shards that remember, wait and answer, for every stage that has to know what came before.

A stage that remembers says so as a `Memory` (`runtime.memories`); a `ShardLine` gives it a place to live.
Keyed state costs by the cell that is touched and not by the byte, so the key is one of a few shards (1-8 on a laptop,
64-1024 on a cluster, fixed for a job), a shard is touched once a bundle, and messages travel packed.

Stages that ask each other stand in one line (`ShardLine`): messages go only forward, and each stage lets pass what is
not for it. A Flatten would be the other way, but the direct runner holds back what goes through one until its source
has ended, and one of our sources never ends.

Three cells a shard:

- the buffer, for messages until they are worked through, a grain of time at a go. Grains are laid on a fixed grid of
  event time, so what is worked through together depends on neither bundles nor arrival: a watermark says when a grain
  is complete. Runners whose timers fire at once (the direct runner) get the same as long as their source is in order.
- the log of what was learnt, appended to and read only when a process sees the shard for the first time.
- the head of the log (its length and the hash of everything in it). A built `Memory` stays in the process beside the
  head it stands for; after a restart or a bundle that failed the heads differ, and it is built again from the log.
"""

import hashlib
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import apache_beam as beam
from apache_beam import coders
from apache_beam.metrics import Metrics
from apache_beam.pvalue import PCollection
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.runtime.memories import LogStore, Memory, Sent, pack, unpack

ShardMessage = tuple[int, bytes]
"""What travels: the shard, and after one byte that tells the hop, messages for it as `pack` wrote them."""

MOST_HOPS = 32

_MILLISECOND = 1000
_LAST_TIMER: int = GlobalWindow().max_timestamp().micros
_WAITING = -(1 << 62)  # the due time of a message that was put back: worked whenever something else is
_STAMP = struct.Struct("<q")
_HEAD = struct.Struct("<QQ16s")
_COMPACT_FROM = 1 << 20
_ALL_TIME = 1e12


class Grid(NamedTuple):
    """Fixed grains of event time.

    Args:
        grain_seconds: how much time is worked through together.
        hop: how many shards a message has been through before this stage. What one stage sends when a grain is complete
            bears that moment, so the next stage's grain is complete a millisecond later.
    """

    grain_seconds: float
    hop: int = 0

    def due(self, micros: int) -> int:
        """When (in microseconds) the grain that `micros` lies in is complete: later than `micros`."""
        grain, shift = int(self.grain_seconds * 1_000_000), self.hop * _MILLISECOND
        return min((micros - shift) // grain * grain + grain + shift, _LAST_TIMER)


class _Built(NamedTuple):
    head: bytes
    memory: Memory


_built: dict[tuple[str, int], _Built] = {}
"""The memories of this process. One is taken out while it works: it has one owner and never outlives a failure."""


class _Shards(beam.DoFn):
    """One stage of a line. Its subclasses differ in nothing but the name of their timer."""

    BUFFER = BagStateSpec("buffer", coders.BytesCoder())
    LOG = BagStateSpec("log", coders.BytesCoder())
    HEAD = ReadModifyWriteStateSpec("head", coders.BytesCoder())
    ARMED = ReadModifyWriteStateSpec("armed", coders.BytesCoder())

    def __init__(
        self,
        stage: "ShardStage",
        grid: Grid,
        hops: Mapping[str, int],
        store: Optional[LogStore],
        logged: bool = True,
    ) -> None:
        self._stage = stage
        self._logged = logged
        self._grid = grid
        self._hops = hops
        self._store = store
        self._place = f"{stage!r} {store!r}"
        self._armed: dict[int, int] = {}
        self._stored: dict[int, int] = {}
        self._rebuilt = Metrics.counter("shards", f"{stage.name}: memories built from their log")
        self._compacted = Metrics.counter("shards", f"{stage.name}: logs compacted")

    def start_bundle(self) -> None:
        self._armed = {}

    def receive(self, message: ShardMessage, timestamp: Timestamp, buffer: Any, armed: Any, timer: Any) -> None:
        shard, packed = message
        due = self._grid.due(timestamp.micros)
        buffer.add(_STAMP.pack(due) + packed[1:])
        if shard not in self._armed:
            set_before = armed.read()
            self._armed[shard] = _STAMP.unpack(set_before)[0] if set_before else MAX_TIMESTAMP.micros
        # Only ever moved to an earlier grain: a timer moved on by each message would never fire on a busy stream.
        if due < self._armed[shard]:
            self._armed[shard] = due
            armed.write(_STAMP.pack(due))
            timer.set(Timestamp(micros=due))

    def fire(self, shard: int, buffer: Any, log: Any, head: Any, armed: Any, timer: Any) -> Iterator[Any]:
        was_armed = armed.read()
        if not was_armed:
            return
        self._armed.pop(shard, None)
        (due,) = _STAMP.unpack(was_armed)
        ready: list[bytes] = []
        later: list[bytes] = []
        for entry in buffer.read():
            if _STAMP.unpack_from(entry)[0] <= due:
                ready.extend(unpack(entry[_STAMP.size :]))
            else:
                later.append(entry)
        buffer.clear()
        for entry in later:
            buffer.add(entry)
        if later:
            due = min(_STAMP.unpack_from(entry)[0] for entry in later)
            armed.write(_STAMP.pack(due))
            timer.set(Timestamp(micros=due))
        else:
            armed.clear()

        if not ready:
            return
        old_head = head.read() or b""
        memory = self._take(shard, old_head, log)
        done = memory.work(ready)
        if done.waiting:
            buffer.add(_STAMP.pack(_WAITING) + pack(done.waiting))
        new_head = old_head
        if done.learnt:
            new_head = self._learn(shard, memory, done.learnt, old_head, log)
            head.write(new_head)
        _built[self._place, shard] = _Built(new_head, memory)
        yield from addressed(done.sent, self._hops)
        yield from done.results

    def _take(self, shard: int, head: bytes, log: Any) -> Memory:
        built = _built.pop((self._place, shard), None)
        if built is not None and built.head == head:
            return built.memory
        memory = self._stage.memory(shard)
        if self._store is not None:
            self._stored[shard] = 0
            for entry in self._store.entries(self._stage.stored_as(), shard):
                memory.replay(entry)
                self._stored[shard] += len(entry)
        elif head:
            if not self._logged:
                raise RuntimeError(f"{self._stage.name}: what shard {shard} knew is lost, and this run keeps no logs")
            self._rebuilt.inc()
            for entry in sorted(log.read()):  # a bag has no order; entries begin with their number
                memory.replay(entry[8:])
        return memory

    def _learn(self, shard: int, memory: Memory, learnt: bytes, head: bytes, log: Any) -> bytes:
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
        for place in [place for place in _built if place[0] == self._place]:
            del _built[place]


def _shards_at(hop: int) -> type[_Shards]:
    """A DoFn whose timer no other hop has: the direct runner knows timers by their name alone, and mixes up those of
    two stages it has fused."""
    due = TimerSpec(f"due at hop {hop}", TimeDomain.WATERMARK)

    class Shards(_Shards):
        def process(
            self,
            element: ShardMessage,
            timestamp: Timestamp = beam.DoFn.TimestampParam,
            buffer: Any = beam.DoFn.StateParam(_Shards.BUFFER),
            armed: Any = beam.DoFn.StateParam(_Shards.ARMED),
            timer: Any = beam.DoFn.TimerParam(due),
        ) -> Optional[Sequence[ShardMessage]]:
            if element[1][0] != hop:
                return (element,)
            self.receive(element, timestamp, buffer, armed, timer)
            return ()  # None would be logged as a mistake

        @on_timer(due)
        def work(
            self,
            shard: int = beam.DoFn.KeyParam,
            buffer: Any = beam.DoFn.StateParam(_Shards.BUFFER),
            log: Any = beam.DoFn.StateParam(_Shards.LOG),
            head: Any = beam.DoFn.StateParam(_Shards.HEAD),
            armed: Any = beam.DoFn.StateParam(_Shards.ARMED),
            timer: Any = beam.DoFn.TimerParam(due),
        ) -> Iterator[Any]:
            return self.fire(shard, buffer, log, head, armed, timer)

    Shards.__name__ = Shards.__qualname__ = f"Shards{hop}"
    return Shards


_at_hop = [_shards_at(hop) for hop in range(MOST_HOPS)]
globals().update({shards.__name__: shards for shards in _at_hop})  # a worker finds them by name


def addressed(sent: Iterable[Sent], hops: Mapping[str, int]) -> Iterator[ShardMessage]:
    """The messages as they travel: all for one shard packed into one."""
    letters: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    for to, shard, message in sent:
        letters[to, shard].append(message)
    for (to, shard), messages in letters.items():
        yield shard, bytes((hops[to],)) + pack(messages)


class _Send(beam.DoFn):
    """Packs what is said of single elements, a bundle at a time and never two grains in one."""

    def __init__(self, address: Callable[[Any], Iterable[Sent]], grid: Grid, hops: Mapping[str, int], woken: int):
        self._address = address
        self._grid = grid
        self._hops = hops
        self._woken = woken
        self._sent: dict[int, list[Sent]] = {}
        self._latest: dict[int, int] = {}

    def start_bundle(self) -> None:
        self._sent = {}
        self._latest = {}

    def process(self, element: Any, timestamp: Timestamp = beam.DoFn.TimestampParam) -> None:
        due = self._grid.due(timestamp.micros)
        self._latest[due] = max(self._latest.get(due, timestamp.micros), timestamp.micros)
        self._sent.setdefault(due, []).extend(self._address(element))

    def finish_bundle(self) -> Iterator[Any]:
        for due, sent in self._sent.items():
            at = Timestamp(micros=self._latest[due])
            for message in addressed(sent, self._hops):
                yield WindowedValue(message, at, (GlobalWindow(),))
            for hop in self._hops.values():
                for shard in range(self._woken):
                    yield WindowedValue((shard, bytes((hop,)) + pack(())), at, (GlobalWindow(),))


class ShardStage(NamedTuple):
    """One stage of a line.

    Args:
        name: as counters and `WarmStart` show it, and as messages are addressed to it.
        memory: makes the memory of a shard from its number; picklable, with a `repr` that tells its configuration.
        log_format: raised when entries of the log are written in another way: the store's older logs are not read.
    """

    name: str
    memory: Callable[[int], Memory]
    log_format: int = 1

    def stored_as(self) -> str:
        """What the store of logs calls it."""
        return self.name if self.log_format == 1 else f"{self.name} {self.log_format}"


class ShardLine(beam.PTransform[PCollection[Any], PCollection[Any]]):
    """Elements are told to shards, the shards to each other, and the last of them say what comes out.

    Args:
        address: pure; the messages to send for one element, to any stage.
        stages: in the order in which messages pass them.
        output_type: of the results of the last stage.
        grain_seconds: how much event time is worked through together.
        first_hop: how many shard stages the pipeline has before this line; no two stages of a pipeline share a hop.
        store: of the logs; None where the runner's state is durable.
        shards: of each stage. The direct runner fires all timers that are set, stage by stage. There every bundle sets
            those of all shards and goes through the line at once: else what asks less overtakes what came before it.
    """

    def __init__(
        self,
        address: Callable[[Any], Iterable[Sent]],
        stages: Sequence[ShardStage],
        output_type: Any,
        grain_seconds: float = 1.0,
        first_hop: int = 0,
        store: Optional[LogStore] = None,
        shards: int = 0,
    ) -> None:
        super().__init__()
        self._address = address
        self._shards = shards
        self._stages = stages
        self._output_type = output_type
        self._grain_seconds = grain_seconds
        self._hops = {stage.name: first_hop + i for i, stage in enumerate(stages)}
        self._store = store

    def expand(self, elements: PCollection[Any]) -> PCollection[Any]:
        # Timers of the direct runner do not wait for the watermark, so that grains would only cost time there.
        everything = isinstance(elements.pipeline.runner, FnApiRunner)
        grain_seconds = _ALL_TIME if everything else self._grain_seconds
        first = Grid(grain_seconds, self._hops[self._stages[0].name])
        line = elements | "Address" >> beam.ParDo(
            _Send(self._address, first, self._hops, self._shards if everything else 0)
        ).with_output_types(ShardMessage)
        for stage in self._stages:
            hop = self._hops[stage.name]
            grid = Grid(grain_seconds, hop)
            # A bundle that fails ends a run of the direct runner, so that nothing is ever built again there.
            shards = _at_hop[hop](stage, grid, self._hops, self._store, logged=not everything)
            output_type = self._output_type if stage is self._stages[-1] else ShardMessage
            line = line | stage.name >> beam.ParDo(shards).with_output_types(output_type)
        return line
