"""newsbeam in pipelines of Beam YAML: the examples of configs/, run."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.beam_yaml import CleanArticles, news_row
from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from tests.support.places import ROOT

THINGS = {
    0: "The old bridge over the river has been closed since Monday because engineers had found cracks in its pillars.",
    1: "A crane fell on the quay of the harbour when the wind rose at night, and nobody was hurt, the police said.",
    2: "The council voted to build a school for nine hundred children where the brewery stood until last summer.",
    7: "Farmers brought in the best harvest of apples since records began, and prices are falling in the shops.",
}


def page(number: int) -> str:
    text = f"<p>{THINGS[number]}</p>" * 3
    return f"""<html lang="en"><head><title>Story {number}</title></head><body><article><h1>Story {number}</h1>{text}
</article></body></html>"""


def run(example: str, **variables: object) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "apache_beam.yaml.main",
            f"--yaml_pipeline_file=configs/{example}",
            f"--jinja_variables={json.dumps(variables)}",
            "--runner=newsbeam.FlowingRunner",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_page_becomes_a_row_and_one_that_is_none_says_why() -> None:
    row = news_row("https://example.org/bridge", page(1))
    assert row.title == "Story 1"
    assert "A crane fell on the quay" in row.text
    assert row.rejected is None
    empty = news_row("https://example.org/empty", " ")
    assert empty.text == ""
    assert (empty.rejected or "").startswith("empty: ")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    pages = tmp_path / "pages.jsonl"
    rows = [{"url": f"https://example.org/{i}", "html": page(i)} for i in range(3)]
    pages.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return pages


def test_the_example_of_rows_runs(saved: Path, tmp_path: Path) -> None:
    run("beam_yaml_rows.yaml", pages=str(saved), out=str(tmp_path / "articles"))
    lines = [json.loads(line) for f in tmp_path.glob("articles*") for line in f.read_text().splitlines()]
    assert sorted(line["url"] for line in lines) == [f"https://example.org/{i}" for i in range(3)]
    assert sorted(line["title"] for line in lines) == [f"Story {i}" for i in range(3)]


class _Site(BaseHTTPRequestHandler):
    """A site with a feed of a page, a copy of it, and a page without anything."""

    def do_GET(self) -> None:
        here = f"http://{self.headers['Host']}"
        names = ("bridge", "copy", "empty")
        items = "".join(f"<item><title>B</title><link>{here}/{name}</link></item>" for name in names)
        answers = {
            "/feed": ("application/rss+xml", f'<rss version="2.0"><channel><title>F</title>{items}</channel></rss>'),
            "/bridge": ("text/html", page(7)),
            "/copy": ("text/html", page(7)),
            "/empty": ("text/html", " "),
        }
        media_type, body = answers.get(self.path, ("text/plain", ""))
        self.send_response(200 if self.path in answers else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def feed() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/feed"
    server.shutdown()
    server.server_close()


def test_the_example_with_all_stages_runs(feed: str, tmp_path: Path) -> None:
    out = tmp_path / "news.db"
    run("beam_yaml.yaml", feed=feed, out=str(out), seconds=12, allow='["127.0.0.0/8"]')
    with sqlite3.connect(out) as database:
        articles = database.execute("SELECT title, duplicate_kind, story_id = id FROM articles").fetchall()
        letters = database.execute("SELECT stage, reason FROM dead_letters").fetchall()
    assert articles == [("Story 7", "unique", 1)], "the copy is dropped"
    assert letters == [("fetch", "empty")]


def test_rows_that_hold_pages_are_cleaned_and_what_cannot_be_is_told() -> None:
    rows = [beam.Row(url="https://example.org/1", html=page(1)), beam.Row(url="https://example.org/0", html=" ")]
    with beam.Pipeline(FlowingRunner()) as pipeline:
        cleaned = pipeline | beam.Create(rows) | CleanArticles()
        titles = cleaned["articles"] | "Titles" >> beam.Map(lambda article: article.title)
        reasons = cleaned["dead_letters"] | "Reasons" >> beam.Map(lambda letter: (letter.url, letter.reason))
        assert_that(titles, equal_to(["Story 1"]), "titles")
        assert_that(reasons, equal_to([("https://example.org/0", "empty")]), "reasons")
