"""Positions of a topic where no ledger is kept: in the runner's state, and committed once they are durable there."""

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.sources.event_loop import Mailbox
from newsbeam.transforms.sources.feed_source import FeedSource
from newsbeam.transforms.sources.kafka import read
from newsbeam.transforms.sources.kafka.kafka import Batch
from newsbeam.transforms.sources.ticks import Tick
from tests.support.cells import Cell

NOW = 1_756_720_800.0


def test_a_readers_positions_are_in_the_runners_state_before_its_messages_go_on() -> None:
    class Shard:
        def settle(self) -> None: ...

        def close(self) -> None: ...

        def commit(self, offsets: dict[int, int]) -> None:
            committed.append(offsets)

        def take(self, seen_at: str) -> Batch:
            return Batch()

        def positions(self) -> dict[int, int]:
            return {0: 5}

    committed: list[dict[int, int]] = []
    options = read.QueueOptions(Address("kafka://broker/topic"), FeedSource("kafka://broker/topic"))
    stage, positions = read._ReadShard(options, "a test"), Cell()
    built = read._Built(Shard(), Mailbox())  # type: ignore[arg-type]
    stage._take = lambda number, durable: built  # type: ignore[method-assign]
    positions.read = lambda: positions.values[0] if positions.values else None  # type: ignore[method-assign]
    list(stage.process((0, Tick(0, NOW)), positions=positions))
    assert positions.values == [b'{"0": 5}']
    assert committed == [], "nothing is committed before the runner has it"
    list(stage.process((0, Tick(1, NOW)), positions=positions))
    assert committed == [{0: 5}]
