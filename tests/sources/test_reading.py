"""What lies in files becomes pages; what cannot, a dead letter that names the file and the reason."""

import gzip
import io
import json
from pathlib import Path

import pytest
from apache_beam.io.restriction_trackers import OffsetRange
from apache_beam.utils.timestamp import Timestamp
from fastwarc.warc import WarcRecord, WarcRecordType
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.model.records import DeadLetter, Page
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files import documents
from newsbeam.transforms.sources.files.json_rows import ROW
from newsbeam.transforms.sources.files.payload import FEED_TYPES, content_type
from newsbeam.transforms.sources.files.plan import read_plan, write_plan
from newsbeam.transforms.sources.files.read import Plan, _ReadChunks
from newsbeam.transforms.sources.files.scan import scan
from newsbeam.transforms.text.times import recorded_time
from tests.support.archives import warc_record
from tests.support.reading import page_or_letter, read, write

PAGE = b"<!doctype html><html><head><title>A page</title></head><body><p>Words of an article.</p></body></html>"
RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title></channel></rss>'


def warc(*pages: tuple[str, str, bytes], packed: bool = True) -> bytes:
    """A WARC file of HTTP answers: (date, status line, body)."""
    records = [warc_record(body, date, status) for date, status, body in pages]
    return b"".join(gzip.compress(record, mtime=0) if packed else record for record in records)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("page.txt", PAGE, "text/html"),
        ("story.html", b"Just a text\n\nwith two paragraphs.\n", "text/plain"),
        ("feed.html", RSS, "application/xml"),
        ("utf16.txt", "Ein Text über alles.".encode("utf-16"), "text/plain"),
        ("feed.json", b'{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": []}', "application/xml"),
        ("packed.bin", gzip.compress(PAGE, mtime=0), "text/html"),
    ],
)
def test_the_content_tells_what_a_file_is_not_its_name(
    tmp_path: Path, name: str, content: bytes, media_type: str
) -> None:
    (page,) = read(write(tmp_path, name, content))
    assert isinstance(page, Page)
    assert page.content_type == media_type
    assert page.origin.raw_ref == name


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.html", b"", "empty"),
        ("blank.txt", b" \n\n", "empty"),
        ("image.html", b"\x89PNG\r\n\x1a\n" + bytes(100), "binary"),
        ("noise.txt", bytes(range(256)) * 4, "binary"),
        ("cut.html.gz", gzip.compress(PAGE * 50, mtime=0)[:-20], "truncated"),
        ("settings.json", b'{"name": "newsbeam"}', "unknown_form"),
        ("cut.warc.gz", warc(("2024-03-25T19:08:00Z", "200 OK", PAGE * 40))[:-60], "truncated"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_dead_letter_with_its_name_and_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (letter,) = read(write(tmp_path, name, content))
    assert isinstance(letter, DeadLetter)
    assert letter.reason == reason
    assert name in letter.message
    assert letter.unit


def test_a_page_too_large_is_a_dead_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 1000)
    (letter,) = read(write(tmp_path, "large.html", PAGE + b"x" * 1000))
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "too_large"


def test_a_bomb_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FREE_EXPANSION_BYTES", 1 << 20)
    row = json.dumps({"url": "https://a.example/", "text": " " * 1_000_000}).encode() + b"\n"
    spool = tmp_path / "spool"
    spool.mkdir()
    (letter,) = read(write(tmp_path, "bomb.jsonl.gz", gzip.compress(row * 10)), spool)
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "bomb"


def test_one_damaged_row_does_not_harm_its_neighbours(tmp_path: Path) -> None:
    rows = [b'{"url": "https://a.example/1", "text": "one"}', b'{"url": ', b'{"url": "u"}', b'{"html": "<p>four"}']
    pages = read(write(tmp_path, "rows.jsonl", b"\n".join(rows)))
    assert [page.reason if isinstance(page, DeadLetter) else page.url for page in pages] == [
        "https://a.example/1",
        "bad_json",
        "unknown_form",
        "",
    ]


def test_rows_of_pages_and_of_articles_are_told_apart(tmp_path: Path) -> None:
    rows = [
        {"url": "https://a.example/1", "html": "<p>one</p>", "fetched_at": "2024-03-25T20:08:00+01:00"},
        {"url": "https://a.example/2", "title": "Two", "text": "Two.", "timestamp": 1711393680},
        {"text": "A page as copied."},
    ]
    packed = gzip.compress("\n".join(map(json.dumps, rows)).encode())
    html, article, text = read(write(tmp_path, "rows.jsonl.gz", packed))
    assert isinstance(html, Page) and isinstance(article, Page) and isinstance(text, Page)  # noqa: PT018
    assert [html.content_type, article.content_type, text.content_type] == ["text/html", ROW, "text/plain"]
    assert html.fetched_at == article.fetched_at == "2024-03-25T19:08:00Z"
    assert text.fetched_at is None


@pytest.mark.parametrize("form", ["member a record", "one member", "plain"])
def test_every_answer_of_an_archive_is_a_unit(tmp_path: Path, form: str) -> None:
    answers = [
        ("2024-03-25T19:08:00Z", "200 OK", PAGE),
        ("2024-03-25T19:09:00Z", "404 Not Found", b"gone"),
        ("2024-03-25T19:10:00Z", "200 OK", PAGE + b"again"),
    ]
    content = warc(*answers, packed=form == "member a record")
    if form == "one member":
        content = gzip.compress(content)
    first, missing, third = read(write(tmp_path, "crawl", content))
    assert isinstance(first, Page) and isinstance(third, Page)  # noqa: PT018
    assert (first.url, first.charset, first.fetched_at) == ("https://a.example/story", "utf-8", "2024-03-25T19:08:00Z")
    assert third.body == PAGE + b"again"
    assert isinstance(missing, DeadLetter)
    assert missing.reason == "http_404"


def record_of(answer: bytes, media_type: str = "application/http; msgtype=response") -> bytes:
    record = WarcRecord()
    record.init_headers(record_type=WarcRecordType.response)
    record.headers["WARC-Target-URI"] = "https://a.example/feed"
    record.headers["Content-Type"] = media_type
    record.set_bytes_content(answer)
    one = io.BytesIO()
    record.write(one)
    return one.getvalue()


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(RSS), RSS)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + RSS,
        b"HTTP/1.1 200 OK\r\ncontent-type: application/atom+xml; charset=utf-8\r\n\r\n<!-- "
        + b"x" * 70_000
        + b"-->"
        + RSS,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(RSS),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + RSS.decode().encode("utf-16"),
        b'HTTP/1.1 200 OK\r\n\r\n{"version": "https://jsonfeed.org/version/1.1", "items": []}',
    ],
    ids=["as a page", "by its type", "packed", "in chunks", "utf-16", "json"],
)
def test_a_feed_in_an_archive_is_known_as_one_before_it_is_read(tmp_path: Path, answer: bytes) -> None:
    path = write(tmp_path, "crawl", record_of(answer))
    (unit,) = scan(path, path.name, tmp_path)
    page = page_or_letter(unit)
    assert isinstance(page, Page)
    assert page.content_type in FEED_TYPES
    assert unit.may_be_feed


def test_a_page_in_an_archive_is_known_as_one_before_it_is_read(tmp_path: Path) -> None:
    answers = [record_of(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE), record_of(PAGE, "text/html")]
    path = write(tmp_path, "crawl", b"".join(answers))
    assert [unit.may_be_feed for unit in scan(path, path.name, tmp_path)] == [False, False]


def test_rows_of_one_time_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    ids: list[object] = ["b-2", "a-10", "\ud800", 7, True, None, ["x"]]
    rows = [json.dumps({"id": own, "text": f"text {n}", "timestamp": "2024-01-01"}) for n, own in enumerate(ids)]
    files = [write(tmp_path, f"{n}.jsonl", row.encode()) for n, row in enumerate(rows)]
    units = [unit for file in files for unit in scan(file, file.name, tmp_path)]
    named = [unit.digest.rpartition(" ")[0] for unit in sorted(units, key=lambda unit: unit.rank)]
    assert [name for name in named if name] == ["7", "?", "True", "a-10", "b-2"]


def test_the_plan_puts_units_in_the_order_they_were_seen_whatever_the_order_of_files(tmp_path: Path) -> None:
    rows = [
        json.dumps({"url": f"https://a.example/{n}", "text": "t", "timestamp": 1.7e9 + n * 7 % 5}) for n in range(9)
    ]
    files = [write(tmp_path, f"{n}.jsonl", row.encode()) for n, row in enumerate(rows)]
    files.insert(3, write(tmp_path, "no-time.txt", b"A text that nobody has dated."))
    orders = []
    for number, order in enumerate((files, files[::-1])):
        plan = tmp_path / f"plan{number}.db"
        count = write_plan((unit for file in order for unit in scan(file, file.name, tmp_path)), plan)
        orders.append([unit.name for unit in read_plan(str(plan), 0, count)])
        times = [unit.seen_at for unit in read_plan(str(plan), 0, count)]
        assert times == sorted(times)
    assert orders[0] == orders[1]


class OfChunks:
    """The restriction of a source, and how far each chunk went."""

    def __init__(self, units: int) -> None:
        self.units, self.claimed, self.rests = units, -1, [0]

    def current_restriction(self) -> OffsetRange:
        return OffsetRange(self.rests[-1], self.units)

    def try_claim(self, position: int) -> bool:
        self.claimed = position
        return True

    def defer_remainder(self) -> None:
        self.rests.append(self.claimed + 1)

    def set_watermark(self, timestamp: Timestamp) -> None:
        pass


@pytest.mark.parametrize(
    ("moments", "rests"),
    [
        ([1] * 5_000, [0, 2_000, 4_000]),
        ([0] * 5_000, [0, 2_000, 4_000]),
        ([*range(600)], [0, 256, 512]),
        ([1] * 300 + [2] * 100 + [3] * 300, [0, 300]),
    ],
    ids=["one moment", "no time", "a moment each", "three moments"],
)
def test_what_is_of_one_moment_stays_together_up_to_a_limit(
    tmp_path: Path, moments: list[int], rests: list[int]
) -> None:
    def seen_at(moment: int) -> str:
        return f"2024-01-01T00:{moment // 60:02}:{moment % 60:02}Z" if moment or len(set(moments)) > 1 else ""

    file = tmp_path / "plan.db"
    named = enumerate(moments)
    units = (Unit("a.txt", "a", f"a#{n:05}", Form.TEXT, digest=f"{n:016x}", seen_at=seen_at(at)) for n, at in named)
    chunks = OfChunks(write_plan(units, file))
    read = []
    for _ in range(10):
        before = len(chunks.rests)
        read += [value.value for value in _ReadChunks().process(Plan(str(file), chunks.units), chunks, chunks)]
        if len(chunks.rests) == before:
            break
    assert chunks.rests == rests
    assert [unit.position for unit in read] == [*range(len(moments))]


@given(st.binary(max_size=3000))
def test_no_bytes_whatever_stop_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    units = read(write(folder, "any", content))
    assert units
    assert all(isinstance(unit, (Page, DeadLetter)) for unit in units)


@pytest.mark.parametrize(
    ("recorded", "utc"),
    [
        ("2024-03-25T19:08:00Z", "2024-03-25T19:08:00Z"),
        ("2024-03-25T19:08:00", "2024-03-25T19:08:00Z"),
        (1711393680, "2024-03-25T19:08:00Z"),
        ("yesterday", None),
        (1e30, None),
        (True, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_recorded_time_is_in_utc_or_not_known(recorded: object, utc: str | None) -> None:
    assert recorded_time(recorded) == utc


def test_a_content_type_is_taken_apart() -> None:
    assert content_type('Text/HTML; boundary=x; Charset="UTF-8"') == ("text/html", "utf-8")
    assert content_type("") == ("", "")
