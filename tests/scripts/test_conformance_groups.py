"""The conformance groups of feeds: they pass what is right, and name what is not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.conformance import edge, feeds, hostile, mutants, opml
from scripts.conformance.result import GroupResult

GOOD = (
    "<rss><channel><title>G</title><item><title>Good &lt;b&gt;news&lt;/b&gt;</title>"
    "<link>https://news.example.org/1</link></item></channel></rss>"
)


def _write(folder: Path, files: dict[str, str | bytes], rows: list[dict[str, object]] | None = None) -> None:
    folder.mkdir(parents=True)
    for name, body in files.items():
        (folder / name).write_bytes(body.encode() if isinstance(body, str) else body)
    if rows is not None:
        (folder / "expect.jsonl").write_text("\n".join(map(json.dumps, rows)))


def test_edge_cases_pass_or_are_named(tmp_path: Path) -> None:
    bad_date = GOOD.replace("</item>", "<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate></item>")
    rows: list[dict[str, object]] = [
        {"file": "edge/good.xml", "entries": 1, "title": "Good news", "urls": ["https://news.example.org/1"]},
        {"file": "edge/good.xml", "entries": 1, "link": "https://news.example.org/1", "date": "missing"},
        {"file": "edge/date.xml", "entries": 1, "date": "flag"},
        {"file": "edge/page.html", "dead_letter": True, "discover": []},
        {"file": "edge/good.xml", "group": "seq:same", "poll": 1},
        {"file": "edge/good.xml", "group": "seq:same", "poll": 2, "new": [1, 0], "updated": [0, 0]},
    ]
    _write(tmp_path / "edge", {"good.xml": GOOD, "date.xml": bad_date, "page.html": "<html></html>"}, rows)
    assert edge.run(tmp_path) == GroupResult("edge", 4, 4, ())

    wrong: list[dict[str, object]] = [
        {"file": "edge/good.xml", "entries": 2},
        {"file": "edge/date.xml", "title": "Other news", "date": "parsed", "link": "reject"},
        {"file": "edge/page.html", "entries": 1, "discover": ["https://news.example.org/feed.xml"]},
        {"file": "edge/good.xml", "group": "seq:same", "poll": 1, "new": [0]},
    ]
    (tmp_path / "edge" / "expect.jsonl").write_text("\n".join(map(json.dumps, wrong)))
    result = edge.run(tmp_path)
    assert (result.passed, result.total) == (1, 4)
    shown = "\n".join(result.failures)
    assert all(part in shown for part in ("title:", "date:", "link:", "discover:", "new: [1], expected [0]"))


@pytest.mark.parametrize(
    ("run", "manifest"),
    [
        (feeds.run, {"path": "feeds/empty.xml", "ref": {"entries": 3}}),
        (mutants.run, {"file": "mutants/empty.xml", "ref_entries": 3}),
    ],
)
def test_a_feed_that_lost_all_its_entries_is_named(
    tmp_path: Path, run: Callable[[Path], GroupResult], manifest: dict[str, object]
) -> None:
    name = run.__module__.rpartition(".")[2]
    _write(tmp_path / name, {"good.xml": GOOD, "empty.xml": "<rss><channel/></rss>", "page.html": "<html></html>"})
    assert run(tmp_path) == GroupResult(name, 3, 3, ())
    place = tmp_path / "manifest.jsonl" if name == "feeds" else tmp_path / name / "manifest.jsonl"
    place.write_text(json.dumps(manifest))
    result = run(tmp_path)
    assert (result.passed, result.total) == (2, 3)
    assert "the reference has 3 entries" in result.failures[0]


def test_lists_of_feeds_are_read_whole(tmp_path: Path) -> None:
    text = '<opml><body><outline text="A & "B"" xmlUrl="https://a.example/?x=1&y=2"/></body></opml>'
    _write(tmp_path / "opml", {"a.opml": text})
    assert opml.run(tmp_path) == GroupResult("opml", 1, 1, ())


def test_hostile_bodies_over_their_limits_are_named(tmp_path: Path) -> None:
    limits = {"max_s": 2, "max_rss_mb": 300}
    rows: list[dict[str, object]] = [{"file": "hostile/a.xml", **limits}]
    _write(tmp_path / "hostile", {"a.xml": GOOD}, rows)
    assert hostile.run(tmp_path) == GroupResult("hostile", 1, 1, ())
    rows[0].update(max_s=0, max_rss_mb=1)
    (tmp_path / "hostile" / "expect.jsonl").write_text(json.dumps(rows[0]))
    (failure,) = hostile.run(tmp_path).failures
    assert "s of CPU, 0 s are allowed" in failure
    assert "MB, 1 MB are allowed" in failure
