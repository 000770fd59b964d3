"""`newsbeam prune`: what is old goes from archive and ledger, what is new, pending or known of feeds stays."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from newsbeam.pipeline.cli.commands.prune import age, size
from newsbeam.pipeline.cli.main import main
from newsbeam.pipeline.cli.prune import prune
from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.model.records import Article, DeadLetter, Outcome
from newsbeam.transforms.sinks.uri import open_sink

NOW = datetime(2026, 3, 31, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def article(number: int, days_old: float, revision: int = 1, text: str = "") -> Article:
    seen = (NOW - days_old * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Article(
        id=f"{number:020}",
        revision=revision,
        title=f"Harbour {number}",
        text=text or f"The harbour {number}.",
        content_hash=f"{number} {revision}",
        first_seen_at=seen,
    )


def archive(folder: Path, articles: list[Article], letters: list[DeadLetter] | None = None) -> str:
    """Writes an archive as the sink does; returns its address."""
    uri = f"sqlite:{folder}/news.db"
    with closing(open_sink(uri)) as sink:
        sink.open()
        sink.write([*articles, *(letters or [])])
    return uri


def numbers(folder: Path, query: str = "SELECT id FROM articles ORDER BY id") -> list[int]:
    with closing(sqlite3.connect(folder / "news.db")) as read:
        return [int(row[0]) for row in read.execute(query)]


def pruned(folder: Path, uri: str, older: timedelta | None = None, larger: int | None = None, dry: bool = False) -> str:
    done = prune(uri, f"{folder}/ledger.db", older, larger, dry, NOW)
    return "\n".join(file.line() for file in done)


def test_articles_older_than_the_limit_go_with_their_revisions_and_their_place_in_the_search(tmp_path: Path) -> None:
    uri = archive(tmp_path, [article(1, 100), article(2, 91), article(3, 89), article(4, 0)])
    archive(tmp_path, [article(1, 100, revision=2), article(3, 89, revision=2)])
    assert numbers(tmp_path, "SELECT id FROM revisions ORDER BY id") == [1, 3]
    said = pruned(tmp_path, uri, older=90 * DAY)
    assert "2 articles, 1 revisions, 0 dead letters removed" in said
    assert numbers(tmp_path) == [3, 4]
    assert numbers(tmp_path, "SELECT id FROM revisions") == [3]
    found = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'harbour'"
    assert numbers(tmp_path, found) == [2]


def test_an_article_without_any_time_is_never_old(tmp_path: Path) -> None:
    undated = Article(id="7" * 20, title="t", text="t", content_hash="7")
    uri = archive(tmp_path, [undated, article(1, 100)])
    pruned(tmp_path, uri, older=DAY)
    assert numbers(tmp_path) == [int("7" * 20)]


def test_old_dead_letters_go(tmp_path: Path) -> None:
    letters = [
        DeadLetter("fetch", "http_404", "gone", unit=unit, first_failed_at=at)
        for unit, at in (("1", "2025-01-01T00:00:00Z"), ("2", "2026-03-30T00:00:00Z"), ("3", None))
    ]
    uri = archive(tmp_path, [], letters)
    assert "1 dead letters" in pruned(tmp_path, uri, older=90 * DAY)
    assert numbers(tmp_path, "SELECT unit FROM dead_letters ORDER BY unit") == [2, 3]


def test_the_oldest_articles_go_until_the_archive_is_small_enough(tmp_path: Path) -> None:
    long = "".join(f"word{number} " for number in range(5000))
    uri = archive(tmp_path, [article(number, 60 - number, text=f"{long}{number}") for number in range(1, 60)])
    before = (tmp_path / "news.db").stat().st_size
    pruned(tmp_path, uri, larger=before // 2)
    assert (tmp_path / "news.db").stat().st_size <= before // 2
    left = numbers(tmp_path)
    assert 10 < len(left) < 50
    assert left == list(range(60 - len(left), 60)), "the newest are left"


def test_the_space_is_given_back(tmp_path: Path) -> None:
    uri = archive(tmp_path, [article(number, 100, text="word " * 5000) for number in range(50)])
    before = (tmp_path / "news.db").stat().st_size
    pruned(tmp_path, uri, older=90 * DAY)
    assert (tmp_path / "news.db").stat().st_size < before / 4


def test_a_file_that_somebody_reads_is_pruned_and_says_that_it_did_not_shrink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsbeam.pipeline.cli.prune.SHRINK_WAIT_S", 0.1)
    uri = archive(tmp_path, [article(1, 100), article(2, 1)])
    with closing(sqlite3.connect(tmp_path / "news.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchone()
        said = pruned(tmp_path, uri, older=90 * DAY)
        reader.execute("COMMIT")
    assert "1 articles" in said
    assert "it is in use" in said
    assert numbers(tmp_path) == [2]


def test_ended_inputs_go_from_the_ledger_and_pending_ones_stay(tmp_path: Path) -> None:
    ledger = Ledger(f"{tmp_path}/ledger.db")
    ledger.create()
    ledger.note("run", ["old", "new", "pending"])
    ledger.settle("run", [Outcome("old", "story"), Outcome("new", "story")])
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        for unit, days in (("old", 100), ("new", 1)):
            settled = (NOW - days * DAY).timestamp()
            database.execute("UPDATE units SET settled_at = ? WHERE unit = ?", (settled, unit))
        database.commit()
    assert "1 inputs removed" in pruned(tmp_path, f"sqlite:{tmp_path}/news.db", older=90 * DAY)
    account = Ledger(f"{tmp_path}/ledger.db").account()
    assert (account.inputs, account.pending) == (2, 1)
    assert account.unknown == 0


def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path) -> None:
    uri = archive(tmp_path, [article(1, 100), article(2, 1)])
    assert "(nothing was changed): 1 articles" in pruned(tmp_path, uri, older=90 * DAY, dry=True)
    assert numbers(tmp_path) == [1, 2]


def test_what_cannot_be_pruned_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE mine (a)")
    nowhere = f"{tmp_path}/none.db"
    for arguments, said in (
        (["--from", f"sqlite:{tmp_path}/news.db"], "--older"),
        (["--older", "90d", "--from", "postgresql://h/d"], "sqlite:"),
        (["--older", "90d", "--from", f"sqlite:{tmp_path}/text.db"], "not an SQLite database"),
        (["--older", "90d", "--from", f"sqlite:{tmp_path}/other.db"], "not an archive"),
        (["--older", "90d", "--from", f"sqlite:{tmp_path}/news.db"], "is there"),
        (["--larger", "1GB", "--dry-run"], "--dry-run"),
    ):
        assert main(["prune", "--ledger", nowhere, *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line


@pytest.mark.parametrize("text", ["", "90", "d", "x d", "1e999d"])
def test_ages_are_refused_that_are_none(text: str) -> None:
    with pytest.raises(Exception, match="is not an age"):
        age(text)


def test_ages_and_sizes_are_read() -> None:
    assert age("12w") == timedelta(weeks=12)
    assert size("1.5GB") == 1_500_000_000
    with pytest.raises(Exception, match="is not a size"):
        size("10")


def test_a_sink_that_newsbeam_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        pruned(tmp_path, "news.db", older=DAY)
