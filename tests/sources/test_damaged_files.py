"""One bad input costs itself only: what is before and behind a damage is read, and no body is another page's."""

import gzip
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.pipeline.cli.inputs import find_inputs
from newsbeam.transforms.model.records import DeadLetter, Page
from newsbeam.transforms.sources.files.plan import read_plan, write_plan
from newsbeam.transforms.sources.files.scan import printable_name, scan, whole_file
from tests.support.archives import warc_record
from tests.support.reading import read, write

DAY = "2024-03-25T19:08:00Z"


def page(number: int) -> bytes:
    return b"<html><body><p>Page %d.</p></body></html>" % number


def bodies(read_units: list[Page | DeadLetter]) -> list[bytes | str]:
    return [unit.reason if isinstance(unit, DeadLetter) else unit.body for unit in read_units]


@pytest.mark.parametrize("grouping", [(1, 1, 1), (2, 1), (1, 2), (3,), (1, 1, 2, 1), (3, 1, 1)])
def test_records_are_read_at_their_own_offset_however_they_share_gzip_members(
    tmp_path: Path, grouping: tuple[int, ...]
) -> None:
    numbers = iter(range(sum(grouping)))
    members = [b"".join(warc_record(page(next(numbers)), DAY) for _ in range(size)) for size in grouping]
    archive = b"".join(gzip.compress(member, mtime=0) for member in members)
    assert bodies(read(write(tmp_path, "a.warc.gz", archive))) == [page(number) for number in range(sum(grouping))]


def test_a_damaged_member_costs_its_own_record_only(tmp_path: Path) -> None:
    members = [bytearray(gzip.compress(warc_record(page(number), DAY), mtime=0)) for number in range(4)]
    members[1][-6] ^= 0xFF  # its checksum
    found = bodies(read(write(tmp_path, "a.warc.gz", b"".join(members))))
    assert found == [page(0), "damaged", page(2), page(3)]


def test_rows_before_the_end_of_a_truncated_gzip_are_kept(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"url": f"https://a.example/{n}", "html": f"<p>{n * n}"}) + "\n" for n in range(400))
    packed = gzip.compress(rows.encode(), mtime=0)
    found = read(write(tmp_path, "rows.jsonl.gz", packed[: len(packed) * 3 // 4]))
    pages = [unit for unit in found if isinstance(unit, Page)]
    (letter,) = [unit for unit in found if isinstance(unit, DeadLetter)]
    assert len(pages) > 200
    assert [unit.url for unit in pages] == [f"https://a.example/{n}" for n in range(len(pages))]
    assert (letter.reason, found.index(letter)) == ("truncated", len(pages))


def test_what_follows_a_whole_page_is_told_and_does_not_cost_it(tmp_path: Path) -> None:
    found = bodies(read(write(tmp_path, "a.html.gz", gzip.compress(page(1)) + b"not gzip")))
    assert found == [page(1), "not_gzip"]


@pytest.mark.parametrize("length", ["-5", "nan", "99999999999", "3", ""])
def test_a_record_with_a_lying_length_does_not_take_its_neighbours(tmp_path: Path, length: str) -> None:
    lying = warc_record(page(1), DAY)
    head, _, rest = lying.partition(b"Content-Length: ")
    lying = head + b"Content-Length: " + length.encode() + b"\r\n" + rest.partition(b"\r\n")[2]
    archive = warc_record(page(0), DAY) + lying + warc_record(page(2), DAY)
    first, second, third = bodies(read(write(tmp_path, "a.warc", archive)))
    assert (first, third) == (page(0), page(2))
    assert second in ("damaged", "truncated")


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00", "soon"])
def test_a_record_of_an_impossible_time_is_a_dead_letter_that_says_so(tmp_path: Path, date: str) -> None:
    found = bodies(read(write(tmp_path, "a.warc", warc_record(page(1), date) + warc_record(page(2), DAY))))
    assert found == ["bad_time", page(2)]


@pytest.mark.parametrize("told", ["1969-12-31T00:00:00Z", -1, 1e18, "0001-01-01", "soon", True, [], {}])
def test_a_row_of_an_impossible_time_is_a_dead_letter_that_says_so(tmp_path: Path, told: object) -> None:
    row = json.dumps({"html": "<p>x", "fetched_at": told})
    assert bodies(read(write(tmp_path, "a.jsonl", row.encode()))) == ["bad_time"]


def test_a_row_from_before_1990_keeps_its_time(tmp_path: Path) -> None:
    row = json.dumps({"html": "<p>x", "fetched_at": "1985-05-05T05:05:05Z"})
    (found,) = read(write(tmp_path, "a.jsonl", row.encode()))
    assert isinstance(found, Page)
    assert found.fetched_at == "1985-05-05T05:05:05Z"


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_json_nested_too_deeply_costs_its_own_line_only(tmp_path: Path, depth: int) -> None:
    deep = '{"html": ' + "[" * depth + "]" * depth + "}"
    good = json.dumps({"url": "https://a.example/1", "html": "<p>x"})
    found = read(write(tmp_path, "a.jsonl", f"{good}\n{deep}\n{good}\n".encode()))
    assert [isinstance(unit, Page) for unit in found] == [True, False, True]


def test_json_nested_too_deeply_is_no_traceback_either_as_a_whole_file(tmp_path: Path) -> None:
    (reason,) = bodies(read(write(tmp_path, "a.json", b"[" * 1_000 + b"]" * 1_000)))
    assert reason == "unknown_form"


def test_a_file_name_that_is_not_utf_8_goes_through_the_plan(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.html"))
    path.write_bytes(page(1))
    file = tmp_path / "plan.db"
    assert write_plan(scan(path, path.name, tmp_path), file) == 1
    (unit,) = read_plan(str(file), 0)
    assert unit.name == "caf\\xe9.html"
    assert Path(unit.path).read_bytes() == page(1)


def test_what_is_no_file_is_named_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, "a.html", page(1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "round").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    inputs, mistakes = find_inputs([str(tmp_path)])
    assert not mistakes
    assert {file.name: file.reason for file in inputs} == {
        "a.html": "",
        "gone": "broken_link",
        "pipe": "not_a_file",
        "round": "folder_link",
    }
    assert all(file.name in file.message for file in inputs if file.reason)


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    ((locked,), _) = find_inputs([str(tmp_path)])
    assert (locked.name, locked.reason) == ("locked", "unreadable")
    assert "Permission denied" in locked.message


def test_a_named_pipe_is_read_as_a_stream(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    ((pipe,), mistakes) = find_inputs([str(tmp_path / "pipe")])
    assert (pipe.is_stream, pipe.name, mistakes) == (True, "pipe-1", [])


def test_names_are_printable_and_stay_apart() -> None:
    names = [os.fsdecode(name) for name in (b"a\xff", b"a\xfe", "aé".encode())]
    assert [printable_name(name) for name in names] == ["a\\xff", "a\\xfe", "aé"]


def archives() -> st.SearchStrategy[bytes]:
    records = [warc_record(page(number), DAY) for number in range(3)]
    rows = b"".join(json.dumps({"html": f"<p>{n}"}).encode() + b"\n" for n in range(20))
    whole = [
        b"".join(records),
        b"".join(gzip.compress(record, mtime=0) for record in records),
        gzip.compress(b"".join(records), mtime=0),
        rows,
        gzip.compress(rows, mtime=0),
        page(1),
        zlib.compress(page(1)),
    ]
    return st.sampled_from(whole)


@settings(max_examples=300)
@given(archives(), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 3)), max_size=8))
def test_no_change_of_any_archive_raises_and_every_unit_goes_through_the_plan(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, changes: list[tuple[int, int, int]]
) -> None:
    content = bytearray(whole)
    for at, value, kind in changes:
        at %= len(content) + 1
        if kind == 0:
            content[at : at + 1] = bytes([value])
        elif kind == 1:
            del content[at : at + value]
        elif kind == 2:
            content[at:at] = content[: value * 4]
        else:
            content[at:at] = bytes([value])
    folder = tmp_path_factory.mktemp("fuzz")
    path = write(folder, "input", bytes(content))
    units = list(scan(path, "input", folder))
    assert units
    assert write_plan(units, folder / "plan.db") == len(units)
    assert len(bodies(read(path, folder))) == len(units)


def test_the_unit_of_a_whole_file_is_named_as_the_user_would() -> None:
    assert whole_file(Path("a/b.html"), "b.html").source == "a/b.html"
