import itertools
import json
import threading
import time
from pathlib import Path

import apache_beam as beam
import pytest

from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from newsbeam.transforms.runtime.stopping import request_stop
from newsbeam.transforms.sources.event_loop import Mailbox
from newsbeam.transforms.sources.ticks import EmitTicks, Tick, TickPlan


class Note(beam.DoFn):
    def __init__(self, file: str) -> None:
        self._file = file

    def process(self, tick: Tick, timestamp: beam.utils.timestamp.Timestamp = beam.DoFn.TimestampParam) -> None:
        with Path(self._file).open("a") as out:
            out.write(json.dumps([tick.number, tick.at, tick.draining, float(timestamp), time.time()]) + "\n")


def ticks_of(plan: TickPlan, file: Path) -> list[tuple[int, float, bool, float, float]]:
    pipeline = beam.Pipeline(runner=FlowingRunner())
    pipeline | "Ticks" >> EmitTicks(plan) | "Note" >> beam.ParDo(Note(str(file)))
    pipeline.run().wait_until_finish()
    return [tuple(json.loads(line)) for line in file.read_text().splitlines()]


def test_ticks_come_on_time_and_in_order_and_the_last_ones_drain(tmp_path: Path) -> None:
    ticks = ticks_of(TickPlan(every_s=0.2, seconds=1.5), tmp_path / "ticks")
    assert [tick[0] for tick in ticks] == list(range(len(ticks)))
    assert 5 <= len(ticks) <= 10
    assert [tick[2] for tick in ticks].count(True) >= 1
    assert not ticks[0][2]
    assert all(later[3] >= earlier[3] for earlier, later in itertools.pairwise(ticks))
    assert all(abs(tick[4] - tick[1]) < 0.5 for tick in ticks)


def test_a_run_that_is_told_to_stop_stops_at_once(tmp_path: Path) -> None:
    threading.Timer(1.0, request_stop).start()
    began = time.monotonic()
    ticks = ticks_of(TickPlan(every_s=30.0), tmp_path / "ticks")
    assert time.monotonic() - began < 5
    assert ticks[-1][2]


def test_ticks_that_came_early_put_off_neither_the_next_one_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsbeam.transforms.sources.ticks._NAP_S", 0.05)
    mailbox: Mailbox[str] = Mailbox()
    mailbox.put("news that nobody takes for a while")
    threading.Timer(2.0, mailbox.take).start()
    began = time.monotonic()
    ticks = ticks_of(TickPlan(every_s=0.5, seconds=4.0), tmp_path / "ticks")
    assert time.monotonic() - began < 6
    assert len(ticks) > 15, "they came early for a while"
    assert max(later[4] - earlier[4] for earlier, later in itertools.pairwise(ticks)) < 1.0


def test_waiting_for_the_next_tick_costs_next_to_nothing(tmp_path: Path) -> None:
    began, cpu = time.monotonic(), time.process_time()
    ticks_of(TickPlan(every_s=60.0, seconds=4.0), tmp_path / "ticks")
    assert time.process_time() - cpu < 1.5
    assert time.monotonic() - began < 6, "the end of a run is not put off to the next tick"
