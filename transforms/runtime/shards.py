"""Keyed state, once: shards that remember, wait and answer, for every stage that has to know what came before.

A stage that remembers describes how as a `Memory` (`runtime.memories`); a `ShardLine` runs it (`runtime.stage_dofn`).
Keyed state costs by the cell that is touched and not by the byte, so the key is one of a few shards (1-8 on a laptop,
64-1024 on a cluster, fixed for a job), a shard is touched once a bundle, and messages travel packed.

Stages that ask each other stand in one line (`ShardLine`): messages go only forward, and each stage lets pass what is
not for it. A Flatten would be the other way, but the direct runner holds back what goes through one until its source
has ended, and one of our sources never ends.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.runtime.memories import LogStore, Sent, pack
from newsbeam.transforms.runtime.stage_dofn import Grid, ShardMessage, ShardStage, addressed, shards_at

__all__ = ["MOST_HOPS", "Grid", "ShardLine", "ShardStage"]

MOST_HOPS = 256
"""Shard stages of one pipeline: a message names the hop it is for in one byte."""


_ALL_TIME = 1e12
"""A grain, in seconds, that no event time leaves."""


class _Allocated:
    """What the shard lines of one pipeline have taken so far."""

    def __init__(self) -> None:
        self.hops = 0
        self.logs: set[str] = set()


_allocated: "weakref.WeakKeyDictionary[beam.Pipeline, _Allocated]" = weakref.WeakKeyDictionary()


def _allocate(pipeline: beam.Pipeline, stages: Sequence[ShardStage], store: LogStore | None) -> dict[str, int]:
    """Takes a hop for each stage, by name: the same in each build of a pipeline, which applies its lines in one order.

    Raises:
        ValueError: if the pipeline has no hop left, or two stages would write one log.
    """
    allocated = _allocated.setdefault(pipeline, _Allocated())
    first = allocated.hops
    if first + len(stages) > MOST_HOPS:
        raise ValueError(f"a pipeline can have at most {MOST_HOPS} shard stages, and this one has {first} already")
    allocated.hops += len(stages)
    for stage in stages if store is not None else ():
        log = f"{stage.stored_as()} in {store!r}"
        if log in allocated.logs:
            raise ValueError(f"two stages of this pipeline would write the log {log}: give one of them another store")
        allocated.logs.add(log)
    return {stage.name: first + number for number, stage in enumerate(stages)}


class _Send(beam.DoFn):
    """Sends the messages of the elements of a bundle, those of one grain together.

    Args:
        address: gives the messages for one element.
        grid: of the first stage.
        hops: of all stages, by name.
        woken: how many shards of every stage get an empty message in each bundle; 0 for none.
    """

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


class ShardLine(beam.PTransform[PCollection[Any], PCollection[Any]]):
    """Sends messages for each element to shards, which send messages further down the line; its last stage gives the
    results.

    Any number of lines may stand in one pipeline, in any order: each stage gets a hop that no other has.

    Args:
        address: pure; gives the messages to send for one element, to any stage.
        stages: in the order in which messages pass them.
        output_type: of the results of the last stage.
        grain_seconds: how much event time is worked through together.
        store: of the logs; None where the runner's state is durable.
        shards: of each stage. The direct runner fires all timers that are set, stage by stage. There every bundle wakes
            this many shards of every stage, and so goes through the line at once: otherwise a message that needs few
            hops overtakes an earlier one that needs more. With 0 no shard is woken.
    """

    def __init__(
        self,
        address: Callable[[Any], Iterable[Sent]],
        stages: Sequence[ShardStage],
        output_type: Any,
        grain_seconds: float = 1.0,
        store: LogStore | None = None,
        shards: int = 0,
    ) -> None:
        super().__init__()
        self._address = address
        self._shards = shards
        self._stages = stages
        self._output_type = output_type
        self._grain_seconds = grain_seconds
        self._store = store

    def expand(self, elements: PCollection[Any]) -> PCollection[Any]:
        # Timers of the direct runner do not wait for the watermark, so that grains would only cost time there.
        is_direct = isinstance(elements.pipeline.runner, FnApiRunner)
        grain_seconds = _ALL_TIME if is_direct else self._grain_seconds
        hops = _allocate(elements.pipeline, self._stages, self._store)
        first = Grid(grain_seconds, hops[self._stages[0].name])
        send = _Send(self._address, first, hops, self._shards if is_direct else 0)
        line = elements | "Address" >> beam.ParDo(send).with_output_types(ShardMessage)
        for stage in self._stages:
            # A bundle that fails ends a run of the direct runner, so that nothing is ever built again there.
            shards = shards_at(stage, Grid(grain_seconds, hops[stage.name]), hops, self._store, logged=not is_direct)
            output_type = self._output_type if stage is self._stages[-1] else ShardMessage
            line = line | stage.name >> beam.ParDo(shards).with_output_types(output_type)
        return line
