"""Plays `hostile/`: bombs and traps for decoders and parsers, each with the time and memory that it may cost."""

import asyncio
import json
import re
import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import LARGEST_BODY, MEMORY_MB, cpu_seconds, parse_feed
from newsbeam.transforms.http.decoding import Body
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.runtime.dead_letters import dead_letter
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox
from scripts.conformance.reading import SITE, Read, document, summary
from scripts.conformance.result import GroupResult

_LOOPBACK = re.compile(rb"\b127\.0\.0\.1:(\d{2,5})\b")
_NEIGHBOUR = FeedDocument(
    SITE + "neighbour.xml",
    b"<rss version='2.0'><channel><title>N</title><item><title>A neighbour</title><link>https://news.example.org/n"
    b"</link></item></channel></rss>",
)
_CODINGS = {".gz": "gzip", ".br": "br", ".zst": "zstd"}


@dataclass(frozen=True)
class _Cost:
    read: ParsedFeed | None
    rejected: Rejected | None
    cpu_s: float
    rss_mb: float


def decode_and_parse(given: tuple[str, FeedDocument]) -> _Cost:
    """Decodes and parses a body, given as (content coding, document). Runs in the sandbox."""
    coding, encoded = given
    started = time.process_time()
    read, rejected = None, None
    try:
        body = Body(coding, LARGEST_BODY)
        body.feed(encoded.body)
        read = parse_feed(replace(encoded, body=body.whole()))
    except Rejected as error:
        rejected = error
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _Cost(read, rejected, time.process_time() - started, rss_mb)


def run(folder: Path) -> GroupResult:
    """Checks that every body stays within its limits and harms no other.

    Time is that of the processor, so that what else the machine does is not counted. A body that is killed has had the
    whole of what it is allowed in the pipeline; that must be within what it may cost here.
    """
    rows = [json.loads(line) for line in (folder / "hostile" / "expect.jsonl").read_text().splitlines() if line]
    touched = asyncio.run(_with_canary(folder, rows))
    failures = tuple(f"{file}: {'; '.join(wrong)}" for file, wrong in touched.items() if wrong)
    return GroupResult("hostile", len(rows) - len(failures), len(rows), failures)


async def _with_canary(folder: Path, rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Returns what is wrong with each body, while a canary listens on the local ports that it names."""
    seen = 0

    async def canary(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        writer.close()

    mistakes = {}
    with Sandbox(decode_and_parse, seconds=1, memory_mb=MEMORY_MB, queue=8, warm_up=("", _NEIGHBOUR)) as sandbox:
        for row in rows:
            before = seen
            ports = set(_LOOPBACK.findall((folder / row["file"]).read_bytes()[:65536]))
            servers = [await asyncio.start_server(canary, "127.0.0.1", int(port)) for port in sorted(ports)]
            mistakes[row["file"]] = await asyncio.to_thread(_check, sandbox, folder, row)
            await asyncio.sleep(0)
            for server in servers:
                server.close()
            if seen != before:
                mistakes[row["file"]].append("it made the parser connect to an address in it")
    return mistakes


def _check(sandbox: Sandbox[tuple[str, FeedDocument], _Cost], folder: Path, row: dict[str, Any]) -> list[str]:
    body = document(folder, row["file"])
    codings = [_CODINGS[suffix] for suffix in Path(row["file"]).suffixes if suffix in _CODINGS]
    allowed = cpu_seconds(body)
    before, hostile, after = (
        sandbox.submit(("", _NEIGHBOUR)),
        sandbox.submit((", ".join(codings), body), allowed),
        sandbox.submit(("", _NEIGHBOUR)),
    )
    wrong = []
    try:
        cost = hostile.result()
    except Exception as error:
        cost = _Cost(None, error if isinstance(error, Rejected) else Rejected("exception", repr(error)), allowed, 0)
    result: Read | None = cost.read
    if result is None and cost.rejected is not None:
        result = dead_letter("feed", body, cost.rejected)
        if cost.rejected.reason == "exception":
            wrong.append(cost.rejected.message)
    if cost.cpu_s > row["max_s"]:
        wrong.append(f"took {cost.cpu_s:.2f} s of CPU, {row['max_s']} s are allowed")
    if max(cost.rss_mb, 0) > row["max_rss_mb"]:
        wrong.append(f"took {cost.rss_mb:.0f} MB, {row['max_rss_mb']} MB are allowed")
    if result is not None and "root:x:0" in repr(result):
        wrong.append("a file of this machine is in the result")
    for neighbour in (before, after):
        read = neighbour.result().read
        if read is None or [entry.title for entry in read.entries] != ["A neighbour"]:
            wrong.append("a neighbour was harmed")
    if wrong and result is not None:
        wrong.append(f"(ended in {summary(result)})")
    return wrong
