"""Reads the suite's files as the pipeline does: in the sandbox, one after another."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import MEMORY_MB, cpu_seconds, parse_feed
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.runtime.dead_letters import dead_letter
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox, SandboxError

SITE = "https://news.example.org/"
Read = ParsedFeed | DeadLetter


def document(folder: Path, file: str, content_type: str = "") -> FeedDocument:
    """Makes a document of a file, as if it had just been fetched from `SITE`."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return FeedDocument(SITE + file, (folder / file).read_bytes(), content_type=content_type, fetched_at=now)


@contextmanager
def feed_sandbox() -> Iterator[Sandbox[FeedDocument, ParsedFeed]]:
    """Returns the sandbox in which feeds are parsed, with the limits of the pipeline."""
    warm_up = FeedDocument(SITE, b"<rss><channel><title>-</title><item><title>-</title></item></channel></rss>")
    with Sandbox(parse_feed, workers=2, seconds=1, memory_mb=MEMORY_MB, queue=64, warm_up=warm_up) as sandbox:
        yield sandbox


def read_all(sandbox: Sandbox[FeedDocument, ParsedFeed], documents: Sequence[FeedDocument]) -> Iterator[Read]:
    """Parses each document in order. Raises whatever is neither entries nor a typed dead letter."""
    for start in range(0, len(documents), 64):
        batch = documents[start : start + 64]
        futures = [sandbox.submit(document, cpu_seconds(document)) for document in batch]
        for given, future in zip(batch, futures, strict=True):
            try:
                yield future.result()
            except SandboxError:
                raise
            except Rejected as error:
                yield dead_letter("feed", given, error)
            except Exception as error:
                yield dead_letter("feed", given, Rejected("exception", f"{type(error).__name__}: {error}"))


def count(read: Read) -> int:
    """Counts entries and rejected items."""
    return len(read.entries) + len(read.rejected) if isinstance(read, ParsedFeed) else 0


def summary(read: Read) -> str:
    """Formats a result for a line of the report."""
    if isinstance(read, DeadLetter):
        return f"dead letter {read.reason}: {read.message[:200]}"
    return f"{read.format} with {len(read.entries)} entries, {len(read.rejected)} rejected"
