"""A live run that reads a topic, killed in the middle: every message has one outcome, every page one record."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support.places import ROOT
from tests.support.sinks_servers import Kafka, until

TOPIC = "pushed"
EACH = 60
BAD = (b"", b"{", b'{"url": "file:///etc/passwd"}', b'{"url": "http://10.0.0.1/"}')
SYLLABLES = ("har", "cou", "bri", "win", "mar", "ri", "scho", "tow", "fer", "vo", "stor", "bud")
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]


def sentences(number: int) -> list[str]:
    chance = random.Random(number)
    return [" ".join(chance.choices(WORDS, k=14)).capitalize() + f" {number}." for _ in range(8)]


def html(number: int) -> str:
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in sentences(number))
    title = f"Story number {number}"
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2]
        body = html(int(number)).encode() if number.isdigit() else b""
        self.send_response(200 if body else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def push(kafka: Kafka, rows: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": kafka.address})
    for row in rows:
        producer.produce(TOPIC, value=row)
        producer.poll(0)
    assert producer.flush(30) == 0


def start(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    sink = f"sqlite:{folder}/news.db"
    command = [sys.executable, "-m", "newsbeam", "live", "--config", f"{folder}/live.yaml", "--to", sink, *more]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True, env=dict(os.environ))


def kill_when(folder: Path, condition: Callable[[], bool]) -> None:
    """Starts a run and kills it, with all its processes, as soon as something is so."""
    run = start(folder)
    until(lambda: run.poll() is not None or condition(), 60)
    assert run.poll() is None, (folder / "log").read_text()[-3000:]
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def outcomes(folder: Path) -> list[tuple[str, str]]:
    """(unit, outcome), empty while it is pending."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/ledger.db?mode=ro", uri=True, timeout=30)) as ledger:
            return ledger.execute("SELECT unit, outcome FROM units").fetchall()
    except sqlite3.OperationalError:
        return []  # not made yet


def settled(folder: Path) -> int:
    return sum(bool(outcome) for _, outcome in outcomes(folder))


def test_nothing_is_lost_and_nothing_doubled_by_kill_9(
    kafka: Kafka,
    site: str,
    tmp_path: Path,
) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    for done in admin.create_topics([NewTopic(TOPIC, 2)]).values():
        done.result()
    queue = f"kafka://{kafka.address}/{TOPIC}"
    settings = {
        "contact": "https://example.org/about-our-crawler",
        "sources": [{"url": queue, "outlet": "Pushers"}],
        "tick_s": 0.3,
        "addresses": {"allow": ["127.0.0.0/8"]},
        "fetch": {"per_address": 64, "min_delay_s": 0.05, "retry_first_s": 0.3, "attempts": 2, "robots_retry_s": 0.3},
    }
    (tmp_path / "live.yaml").write_text(json.dumps(settings))
    to_fetch = [json.dumps({"url": f"{site}/news/{n}"}).encode() for n in range(EACH)]
    pages = [json.dumps({"url": f"https://a.example/{n}", "html": html(n)}).encode() for n in range(1000, 1000 + EACH)]
    texts = [
        json.dumps({"url": f"https://b.example/{n}", "text": "\n".join(sentences(n))}).encode()
        for n in range(2000, 2000 + EACH)
    ]
    rows = [*to_fetch, *pages, *texts, *BAD]
    random.Random(0).shuffle(rows)
    push(kafka, rows[: len(rows) // 2])
    kill_when(tmp_path, lambda: len(outcomes(tmp_path)) > 0)
    noted, done = len(outcomes(tmp_path)), settled(tmp_path)
    assert done < noted, "killed with messages that were read and had no outcome"
    kill_when(tmp_path, lambda: settled(tmp_path) > done)
    assert done < settled(tmp_path) < len(rows) // 2, "killed with some settled and some not"
    push(kafka, rows[len(rows) // 2 :])
    run = start(tmp_path)
    until(lambda: run.poll() is not None or settled(tmp_path) == len(rows), 60)
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 0, (tmp_path / "log").read_text()[-3000:]
    ended = outcomes(tmp_path)
    assert len(ended) == len(rows)
    assert all(unit.startswith(f"kafka:{TOPIC}/") for unit, _ in ended)
    assert Counter(outcome for _, outcome in ended) == {"story": 3 * EACH, "dead_letter": len(BAD)}
    with closing(sqlite3.connect(tmp_path / "news.db")) as news:
        written = news.execute("SELECT url, discovered_via, publisher, revision FROM articles").fetchall()
        letters = news.execute("SELECT reason, payload_ref, url FROM dead_letters").fetchall()
    assert len(written) == len({url for url, *_ in written}) == 3 * EACH
    assert {tuple(row[1:]) for row in written} == {("queue", "Pushers", 1)}
    assert sorted(reason for reason, _, _ in letters) == ["bad_json", "bad_url", "blocked_address", "empty"]
    assert all(place.startswith(f"{TOPIC}/") or url == "http://10.0.0.1/" for _, place, url in letters)
