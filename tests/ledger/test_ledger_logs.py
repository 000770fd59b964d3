"""What one live run learnt, the next one knows."""

from pathlib import Path

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.transforms.duplicates import DuplicatesConfig, MarkDuplicates
from newsbeam.transforms.ledger.logs import LedgerLogs
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article, Origin

TEXT = " ".join(f"The council of ward {n} voted to rebuild the bridge over the river by next year." for n in range(9))


def article(number: int, text: str, hour: int) -> Article:
    seen_at = f"2024-03-25T{hour:02}:00:00Z"
    return identify(
        Article(
            url=f"https://paper.example/{number}",
            title="A bridge",
            text=text,
            origin=Origin(unit=f"{number}@{hour}", seen_at=seen_at, rank=f"{seen_at}|{number}"),
        )
    )


def run(articles: list[Article], store: LedgerLogs, expected: list[tuple[str, str, int]]) -> None:
    with beam.Pipeline() as pipeline:
        marked = pipeline | beam.Create(articles) | MarkDuplicates(DuplicatesConfig(), store=store)
        told = marked | beam.Map(lambda one: (one.origin.unit, one.duplicate_kind, one.revision))
        assert_that(told, equal_to(expected))


def test_a_revision_is_known_as_one_after_a_restart(tmp_path: Path) -> None:
    store = LedgerLogs(str(tmp_path / "ledger.db"), "1/4")
    first = article(1, TEXT, 10)
    run([first], store, [("1@10", "unique", 1)])
    edited = article(1, TEXT + " The mayor has resigned since.", 12)
    run([edited], store, [("1@12", "revision", 2)])
    run([article(1, TEXT + " The mayor has resigned since.", 13)], store, [("1@13", "unchanged", 2)])


def test_an_article_worked_through_again_after_a_crash_has_the_same_verdict(tmp_path: Path) -> None:
    store = LedgerLogs(str(tmp_path / "ledger.db"), "1/4")
    copied = article(2, TEXT, 11)
    expected = [("1@10", "unique", 1), ("2@11", "exact", 1)]
    run([article(1, TEXT, 10), copied], store, expected)
    run([article(1, TEXT, 10), copied], store, expected)


def test_logs_of_another_number_of_shards_are_not_read(tmp_path: Path) -> None:
    LedgerLogs(str(tmp_path / "ledger.db"), "1/4").append("stage", 0, [b"old"], instead=False)
    assert list(LedgerLogs(str(tmp_path / "ledger.db"), "1/8").entries("stage", 0)) == []
    assert list(LedgerLogs(str(tmp_path / "ledger.db"), "1/4").entries("stage", 0)) == [b"old"]


def test_a_compacted_log_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    store = LedgerLogs(str(tmp_path / "ledger.db"), "1/4")
    store.append("stage", 0, [b"a", b"b"], instead=False)
    store.append("stage", 0, [b"ab"], instead=True)
    store.append("stage", 0, [b"c"], instead=False)
    assert list(store.entries("stage", 0)) == [b"ab", b"c"]
