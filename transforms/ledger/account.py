"""NoteUnits and SettleOutcomes: what the pipeline writes to the account of inputs."""

import time
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.records import DeadLetter, Outcome, Page
from newsbeam.transforms.model.units import Unit
from newsbeam.transforms.runtime.database import until_written
from newsbeam.transforms.runtime.measures import count_input, count_outcome

FLUSH_ROWS = 500
"""Rows of one transaction: a bundle of live news has fewer."""


def unit_of(record: Page | Unit | DeadLetter) -> str:
    """The ledger's name of the input that a record stands for."""
    return record.unit if isinstance(record, DeadLetter) else record.origin.unit


class _WriteBatches(beam.DoFn):
    """Writes elements to the ledger, a batch a transaction, and counts them."""

    def __init__(self, file: str, run: str) -> None:
        self._file = file
        self._run = run
        self._batch: list[Any] = []

    def start_bundle(self) -> None:
        self._batch = []

    def process(self, element: Any) -> None:
        self._count(element)
        if self._file:
            self._batch.append(self._kept(element))
            if len(self._batch) >= FLUSH_ROWS:
                self.finish_bundle()

    def finish_bundle(self) -> None:
        if self._batch:
            until_written(lambda: self._write(Ledger(self._file), self._batch))
            self._batch = []

    def _count(self, element: Any) -> None:
        raise NotImplementedError

    def _kept(self, element: Any) -> Any:
        """What the batch keeps of an element."""
        return element

    def _write(self, ledger: Ledger, batch: list[Any]) -> None:
        raise NotImplementedError


class _Note(_WriteBatches):
    def _count(self, element: Page | Unit | DeadLetter) -> None:
        count_input()

    def _kept(self, element: Page | Unit | DeadLetter) -> str:
        return unit_of(element)  # and not the page: hundreds of them are a hundred megabytes

    def _write(self, ledger: Ledger, batch: list[str]) -> None:
        ledger.note(self._run, batch)


class _Settle(_WriteBatches):
    def _count(self, element: Outcome) -> None:
        count_outcome(element, time.time())

    def _write(self, ledger: Ledger, batch: list[Outcome]) -> None:
        ledger.settle(self._run, batch, time.time())


class NoteUnits(beam.PTransform[PCollection[Any], PCollection[None]]):
    """Notes the unit of every page or dead letter as discovered; without a ledger's file it only counts them."""

    def __init__(self, file: str, run: str) -> None:
        super().__init__()
        self._writer = _Note(file, run)

    def expand(self, records: PCollection[Any]) -> PCollection[None]:
        return records | "To ledger" >> beam.ParDo(self._writer)


class SettleOutcomes(beam.PTransform[PCollection[Outcome], PCollection[None]]):
    """Writes how units ended; without a ledger's file it only counts."""

    def __init__(self, file: str, run: str) -> None:
        super().__init__()
        self._writer = _Settle(file, run)

    def expand(self, outcomes: PCollection[Outcome]) -> PCollection[None]:
        return outcomes | "To ledger" >> beam.ParDo(self._writer)
