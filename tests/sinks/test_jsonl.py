"""`jsonl:`: sorted files, files by day, and what a kill leaves."""

import json
import multiprocessing
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.model.errors import SinkAway
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.jsonl import JsonlSink, day_of, finalize, unfinished
from newsbeam.transforms.sinks.sink import WriteCounts


def article(name: str, revision: int = 1, title: str = "", seen: str | None = None) -> Article:
    content = f"content {revision}"
    url = f"https://example.org/{name}"
    return Article(id=name, url=url, revision=revision, title=title, first_seen_at=seen, content_hash=content)


def keys(path: Path) -> list[tuple[str, int]]:
    return [(record["id"], record["revision"]) for record in map(json.loads, path.read_text().splitlines())]


def test_a_replayed_file_appears_sorted_at_the_end_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    sink = JsonlSink(str(path), live=False)
    sink.write([article("b"), article("a", 2)])
    sink.write([article("a", 1)])
    assert not path.exists()
    assert finalize(str(path)) == WriteCounts(inserted=3)
    assert keys(path) == [("a", 1), ("a", 2), ("b", 1)]
    assert [p.name for p in tmp_path.iterdir()] == ["stories.jsonl"]


def test_a_run_adds_to_what_earlier_runs_wrote_and_the_newer_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    for batch in ([article("a"), article("b"), article("c")], [article("b", title="new"), article("c"), article("d")]):
        JsonlSink(str(path), live=False).write(batch)
        counts = finalize(str(path))
    assert counts == WriteCounts(inserted=1, updated=1, unchanged=1)
    assert [json.loads(line)["title"] for line in path.read_text().splitlines()] == ["", "new", "", ""]


def test_a_line_that_a_kill_left_half_written_is_gone_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    JsonlSink(str(path), live=False).write([article("b"), article("a")])
    with unfinished(path).open("ab") as file:
        file.write(to_json(article("c")).encode()[:40])
    JsonlSink(str(path), live=False).write([article("c")])
    with unfinished(path).open("ab") as file:
        file.write(b'{"id":"d","revi')
    finalize(str(path))
    assert keys(path) == [("a", 1), ("b", 1), ("c", 1)]


def test_finalizing_twice_or_with_nothing_written_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    finalize(str(path))
    assert path.read_bytes() == b""
    JsonlSink(str(path), live=False).write([article("a")])
    finalize(str(path))
    before = path.stat().st_ino, path.read_bytes()
    assert finalize(str(path)) == WriteCounts()
    assert (path.stat().st_ino, path.read_bytes()) == before


def test_live_lines_can_be_read_at_once_and_repeats_are_gone_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    sink = JsonlSink(str(path), live=True)
    sink.write([article("b")])
    sink.write([article("b"), article("a")])
    assert keys(path) == [("b", 1), ("b", 1), ("a", 1)]
    finalize(str(path))
    assert keys(path) == [("a", 1), ("b", 1)]


def test_a_folder_has_a_file_a_day_by_when_a_story_was_first_seen(tmp_path: Path) -> None:
    sink = JsonlSink(f"{tmp_path}/", live=True)
    sink.write([article("b", seen="2024-03-25T23:59:00Z"), article("a", seen="2024-03-25T23:58:00Z")])
    assert keys(tmp_path / "stories-2024-03-25.jsonl") == [("b", 1), ("a", 1)]
    sink.write([article("c", seen="2024-03-26T00:00:01Z"), article("z")])
    assert keys(tmp_path / "stories-2024-03-25.jsonl") == [("a", 1), ("b", 1)], "a day that has passed is sorted"
    sink.write([article("aa", seen="2024-03-25T23:59:59Z")])
    finalize(f"{tmp_path}/")
    assert keys(tmp_path / "stories-2024-03-25.jsonl") == [("a", 1), ("aa", 1), ("b", 1)]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "stories-2024-03-25.jsonl",
        "stories-2024-03-26.jsonl",
        "stories-undated.jsonl",
    ]


def test_a_replay_into_a_folder_gives_the_same_files_in_any_order(tmp_path: Path) -> None:
    news = [article(f"n{i}", seen=f"2024-03-{1 + i % 3:02}T10:00:00Z") for i in range(40)]
    for folder, seed in (("x", 1), ("y", 2)):
        shuffled = random.Random(seed).sample(news, len(news))
        JsonlSink(f"{tmp_path}/{folder}/", live=False).write(shuffled[:20])
        JsonlSink(f"{tmp_path}/{folder}/", live=False).write(shuffled[20:])
        finalize(f"{tmp_path}/{folder}/")
    files = [sorted((p.name, p.read_bytes()) for p in (tmp_path / folder).iterdir()) for folder in ("x", "y")]
    assert files[0] == files[1]
    assert len(files[0]) == 3


def test_the_day_is_never_the_clock() -> None:
    assert day_of(article("a")) == "undated"
    assert day_of(article("a", seen="soon")) == "undated"
    assert day_of(DeadLetter("fetch", "timeout", "", first_failed_at="2024-03-25T10:00:00Z")) == "2024-03-25"


def test_dead_letters_stand_beside_once_each(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    letters = [DeadLetter("read", "empty", "x", unit=unit) for unit in ("b", "a", "b")]
    JsonlSink(str(path), live=False).write(letters)
    assert finalize(str(path)) == WriteCounts()
    lines = (tmp_path / "stories.dead.jsonl").read_text().splitlines()
    assert [json.loads(line)["unit"] for line in lines] == ["a", "b"]


def test_a_folder_that_went_away_is_a_sink_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder was")
    with pytest.raises(SinkAway):
        JsonlSink(f"{tmp_path}/out/stories.jsonl", live=True).write([article("a")])


def write_many(target: str, writer: int, live: bool) -> None:
    sink = JsonlSink(target, live=live)
    for i in range(12):
        sink.write([article(f"w{writer}-{i:02}", title="x" * 5000)])
        if live and i % 4 == 3:
            finalize(target)


@pytest.mark.parametrize("live", [True, False])
def test_several_processes_write_one_file_and_none_loses_a_line(tmp_path: Path, live: bool) -> None:
    path = tmp_path / "stories.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(str(path), w, live)) for w in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    finalize(str(path))
    assert keys(path) == [(f"w{w}-{i:02}", 1) for w in range(3) for i in range(12)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 3)), max_size=12), st.randoms())
def test_any_order_and_any_batches_give_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[str, int]], chance: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("any")
    written = []
    for name in ("one", "other"):
        path = folder / name
        shuffled = chance.sample(records, len(records))
        while shuffled:
            size = chance.randint(1, len(shuffled))
            JsonlSink(str(path), live=False).write([article(*key) for key in shuffled[:size]])
            shuffled = shuffled[size:]
            if chance.random() < 0.3:
                finalize(str(path))
        finalize(str(path))
        written.append(path.read_bytes())
        assert keys(path) == sorted(set(records))
    assert written[0] == written[1]
