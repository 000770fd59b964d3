"""`webhook+https://`: batches of records by POST, to whoever listens there.

The body is `{"articles": [...], "dead_letters": [...]}`. Deliveries follow Standard Webhooks
(https://www.standardwebhooks.com): `webhook-id` is the same for the same batch sent again, and with a secret in the
environment variable NEWSBEAM_WEBHOOK_SECRET (`whsec_` + base64, or any text) `webhook-signature` is `v1,` + base64 of
the HMAC-SHA256 of `id.timestamp.body`. A receiver may see a record again after a failure; `id` and `revision` tell.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Optional
from urllib.parse import urlsplit

import requests

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import Rejected, SinkAway, UsageError
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

SECRET = "NEWSBEAM_WEBHOOK_SECRET"  # noqa: S105  # the name of a variable, not its value
POST_RECORDS = 100
POST_BYTES = 1_000_000
TIMEOUT_S = (10.0, 30.0)
"""To connect; between bytes of the answer."""

_REFUSED = frozenset({400, 413, 415, 422})
"""What is wrong with the batch itself. Any other failure is the receiver's, and may pass."""


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of a delivery."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error as error:
            raise UsageError(f"{SECRET}: what follows 'whsec_' is no base64") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class WebhookSink:
    """Posts batches, at most `POST_RECORDS` records and about `POST_BYTES` bytes each."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._clock = clock
        self._session: Optional[requests.Session] = None

    def open(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # no password from ~/.netrc for a host that a user mistyped
        self._secret = os.environ.get(SECRET, "")

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        for body in _bodies(batch):
            self._post(body)
        return WriteCounts()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _post(self, body: bytes) -> None:
        if self._session is None:
            raise RuntimeError("open() comes before write()")
        message_id = "msg_" + hashlib.blake2b(body, digest_size=16).hexdigest()
        timestamp = int(self._clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
        }
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, message_id, timestamp, body)
        try:
            with self._session.post(
                self._url, body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                status, said = answer.status_code, answer.raw.read(300, decode_content=True).decode(errors="replace")
        except (requests.RequestException, OSError) as error:
            raise SinkAway(f"{urlsplit(self._url).hostname}: {type(error).__name__}") from error
        if 200 <= status < 300:
            return
        message = f"{urlsplit(self._url).hostname} answered {status}: {' '.join(said.split())}"
        if status in _REFUSED:
            raise Rejected(f"http_{status}", message)
        raise SinkAway(message)


def _bodies(batch: Sequence[Record]) -> Iterator[bytes]:
    articles: list[str] = []
    letters: list[str] = []
    size = 0
    for record in batch:
        line = to_json(record)
        if articles or letters:
            full = len(articles) + len(letters) >= POST_RECORDS or size + len(line) > POST_BYTES
            if full:
                yield _body(articles, letters)
                articles, letters, size = [], [], 0
        (articles if isinstance(record, Article) else letters).append(line)
        size += len(line)
    if articles or letters:
        yield _body(articles, letters)


def _body(articles: Sequence[str], letters: Sequence[str]) -> bytes:
    return f'{{"articles":[{",".join(articles)}],"dead_letters":[{",".join(letters)}]}}'.encode()


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return WebhookSink(target.removeprefix("webhook+"))


def check(target: str) -> None:
    """Looks at the address and the secret; sends nothing. Raises `UsageError`."""
    if not urlsplit(target).hostname:
        raise UsageError(f"{str(Address(target))!r}: no host to post to; write webhook+https://host/path")
    if os.environ.get(SECRET):
        signature(os.environ[SECRET], "", 0, b"")


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
