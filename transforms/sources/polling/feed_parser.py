"""Feeds are parsed in the sandbox, from the event loop, without holding it up."""

import asyncio

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import MEMORY_MB, MOST_SECONDS, WARM_UP, cpu_seconds, parse_feed
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox, SandboxError

_QUEUE = 64


class FeedParser:
    """Parses feeds in processes of their own. Belongs to one event loop.

    Args:
        workers: processes at most.
    """

    def __init__(self, workers: int = 1) -> None:
        self._sandbox: Sandbox[FeedDocument, ParsedFeed] = Sandbox(
            parse_feed, workers=workers, seconds=MOST_SECONDS, memory_mb=MEMORY_MB, queue=_QUEUE, warm_up=WARM_UP
        )
        self._room = asyncio.Semaphore(_QUEUE)

    async def __call__(self, document: FeedDocument) -> ParsedFeed:
        """The feed in `document`.

        Raises:
            Rejected: it is none, or reading it breaks a limit.
        """
        async with self._room:  # `submit` would block the loop if the queue were full
            future = self._sandbox.submit(document, cpu_seconds(document))
            try:
                return await asyncio.wrap_future(future)
            except (Rejected, SandboxError):
                raise
            except Exception as error:  # whatever a hostile body makes a parser raise is a dead letter of its feed
                raise Rejected("error", f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Ends the processes."""
        self._sandbox.close()
