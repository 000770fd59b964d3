"""`webhook+https://` against a real HTTP server."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsbeam.transforms.model.errors import SinkAway, UsageError
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.sinks.uri import check_sink, open_sink
from newsbeam.transforms.sinks.webhook import POST_RECORDS, SECRET, WebhookSink, signature
from newsbeam.transforms.sinks.write import Waiting


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets; answers as `answers` says, then 204."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.refuses = ""
        self.gone = False

    @property
    def uri(self) -> str:
        return f"webhook+http://127.0.0.1:{self.server_port}/hook?tenant=1"

    def ids(self) -> list[str]:
        return [a["id"] for _, body in self.got for a in json.loads(body)["articles"]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        if self.server.gone:  # a connection that was kept alive
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.answers.pop(0) if self.server.answers else 204
        if self.server.refuses and self.server.refuses.encode() in body:
            status = 422
        if status == 204:
            self.server.got.append(({k.lower(): v for k, v in self.headers.items()} | {"path": self.path}, body))
        self.send_response(status)
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", "0" if status == 204 else "4")
        self.end_headers()
        if status != 204:
            self.wfile.write(b"busy")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(port: int = 0) -> Iterator[Receiver]:
    """A receiver in a thread of its own."""
    server = Receiver(port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.gone = True
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as server:
        yield server


def article(name: str, text: str = "") -> Article:
    return Article(id=name, url=f"https://example.org/{name}", text=text)


def test_a_batch_is_posted_as_json_signed_by_the_standard(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    key = b"a key of some bytes"
    monkeypatch.setenv(SECRET, "whsec_" + base64.b64encode(key).decode())
    sink = WebhookSink(receiver.uri.removeprefix("webhook+"), clock=lambda: 1_700_000_000.9)
    sink.open()
    sink.write([article("a"), DeadLetter("read", "empty", "nothing", unit="u")])
    sink.close()
    ((headers, body),) = receiver.got
    sent = json.loads(body)
    assert [a["id"] for a in sent["articles"]] == ["a"]
    assert [d["unit"] for d in sent["dead_letters"]] == ["u"]
    assert headers["path"] == "/hook?tenant=1"
    assert headers["webhook-timestamp"] == "1700000000"
    signed = headers["webhook-id"].encode() + b".1700000000." + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks, `spec/standard-webhooks.md`."""
    said = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_nothing_is_signed(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET, raising=False)
    Waiting(open_sink(receiver.uri), "test").write([article("a")])
    assert "webhook-signature" not in receiver.got[0][0]


def test_large_batches_are_cut_by_number_and_by_size(receiver: Receiver) -> None:
    Waiting(open_sink(receiver.uri), "test").write([article(f"n{i:03}") for i in range(250)])
    assert [len(json.loads(body)["articles"]) for _, body in receiver.got] == [POST_RECORDS, POST_RECORDS, 50]
    assert receiver.ids() == [f"n{i:03}" for i in range(250)]
    receiver.got.clear()
    Waiting(open_sink(receiver.uri), "test").write([article(f"n{i}", "x" * 600_000) for i in range(3)])
    assert len(receiver.got) == 3


@pytest.mark.parametrize("status", [500, 503, 429, 408, 301, 401, 404])
def test_a_receiver_that_cannot_now_is_sent_the_same_batch_again(receiver: Receiver, status: int) -> None:
    receiver.answers = [status, status]
    slept: list[float] = []
    refused, _ = Waiting(open_sink(receiver.uri), "test", None, sleep=slept.append).write([article("a")])
    assert refused == []
    assert slept == [0.5, 1.0]
    assert receiver.ids() == ["a"]


def test_one_record_the_receiver_refuses_does_not_hold_up_the_others(receiver: Receiver) -> None:
    receiver.refuses = "poison"
    batch = [article(f"n{i}", "poison" if i == 7 else "") for i in range(20)]
    refused, _ = Waiting(open_sink(receiver.uri), "test").write(batch)
    assert [(record, error.reason) for record, error in refused] == [(batch[7], "http_422")]
    assert sorted(set(receiver.ids())) == sorted(a.id for a in batch if a != batch[7])


def test_nobody_there_is_a_sink_that_is_away() -> None:
    sink = open_sink("webhook+http://127.0.0.1:1/hook")
    sink.open()
    with pytest.raises(SinkAway, match=r"127\.0\.0\.1"):
        sink.write([article("a")])


def test_a_wrong_address_or_secret_is_an_error_before_work_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no host"):
        check_sink("webhook+https:///hook")
    monkeypatch.setenv(SECRET, "whsec_not base64")
    with pytest.raises(UsageError, match="base64"):
        check_sink("webhook+https://example.org/hook")
