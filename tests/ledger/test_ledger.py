"""Nothing is lost without a word: the ledger shows it."""

from pathlib import Path

import pytest

from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.errors import LedgerError
from newsbeam.transforms.model.records import Outcome


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(str(tmp_path / "deep" / "ledger.db"))
    ledger.create()
    return ledger


def test_units_that_all_ended_add_up(ledger: Ledger) -> None:
    ledger.note("run", ["a", "b"])
    ledger.settle("run", [Outcome("a", "story", lines_removed=3), Outcome("b", "dead_letter", reason="extract:empty")])
    account = ledger.account("run")
    assert account.adds_up
    assert (account.inputs, account.outcomes, account.lines_removed) == (2, {"dead_letter": 1, "story": 1}, 3)
    assert ledger.dead_letter_reasons("run") == {"extract:empty": 1}


def test_a_unit_without_an_outcome_is_pending_and_the_sum_is_off(ledger: Ledger) -> None:
    ledger.note("run", ["a", "b"])
    ledger.settle("run", [Outcome("a", "story")])
    account = ledger.account("run")
    assert account.pending == 1
    assert not account.adds_up


def test_an_outcome_of_nothing_that_was_discovered_is_unknown_and_the_sum_is_off(ledger: Ledger) -> None:
    ledger.note("run", ["a"])
    ledger.settle("run", [Outcome("a", "story"), Outcome("b", "story")])
    account = ledger.account("run")
    assert account.unknown == 1
    assert not account.adds_up


def test_outcomes_may_arrive_before_the_note_and_twice(ledger: Ledger) -> None:
    ledger.settle("run", [Outcome("a", "story")])
    ledger.note("run", ["a"])
    ledger.settle("run", [Outcome("a", "story")])
    assert ledger.account("run").adds_up
    assert ledger.account("run").inputs == 1


def test_a_second_run_over_the_same_units_is_accounted_for_by_itself(ledger: Ledger) -> None:
    ledger.note("run", ["a", "b"])
    ledger.settle("run", [Outcome("a", "story"), Outcome("b", "story")])
    ledger.note("again", ["a"])
    assert ledger.account("again").pending == 1
    ledger.settle("again", [Outcome("a", "duplicate")])
    assert ledger.account("again").outcomes == {"duplicate": 1}


def test_a_ledger_of_a_newer_newsbeam_is_refused(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "ledger.db"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 999")
    with pytest.raises(LedgerError, match="newer newsbeam"):
        Ledger(str(file)).create()
