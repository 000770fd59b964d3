"""The event loop of a worker: one thread, one client, one parser, shared by all stages of the process.

Requests go on while bundles come and go. What comes back lies in a mailbox until the shard that asked for it looks.
"""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.policy import FetchPolicy
from newsbeam.transforms.sources.polling.feed_parser import FeedParser

R = TypeVar("R")
_LOOKUPS = 64


@dataclass(frozen=True)
class HttpOptions:
    """What all requests of a worker have in common.

    Attributes:
        policy: numbers of politeness.
        user_agent: with a contact.
        agent: the product token that robots.txt files know us by.
        rules: what may be reached beyond the public Internet.
        parsers: processes that parse feeds.
    """

    policy: FetchPolicy
    user_agent: str
    agent: str = "newsbeam"
    rules: AddressRules = field(default_factory=AddressRules)
    parsers: int = 1


@dataclass
class Worker:
    """What a request has at hand on the loop."""

    client: Client
    parse: FeedParser


class Mailbox(Generic[R]):
    """Results for one shard, in the order they came; safe between threads.

    Args:
        urgent: whether a result is worth a tick of its own.
    """

    def __init__(self, urgent: Callable[[R], bool] = lambda result: True) -> None:
        self._results: deque[R] = deque()
        self._is_urgent = urgent
        self.urgent = False
        _mailboxes.add(self)

    def put(self, result: R) -> None:
        """Leaves a result."""
        self._results.append(result)
        self.urgent = self.urgent or self._is_urgent(result)

    def take(self) -> list[R]:
        """All that has come."""
        taken = []
        self.urgent = False
        while self._results:
            taken.append(self._results.popleft())
        return taken


_mailboxes: "weakref.WeakSet[Mailbox[Any]]" = weakref.WeakSet()


def mail_is_urgent() -> bool:
    """Whether something has come back in this process that should not wait for the next tick."""
    return any(mailbox.urgent for mailbox in list(_mailboxes))


class HttpLoop:
    """Runs requests on a thread of its own."""

    def __init__(self, options: HttpOptions) -> None:
        self._options = options
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._under_way: set[asyncio.Future[None]] = set()
        self._failure: BaseException | None = None
        threading.Thread(target=self._run, name="http", daemon=True).start()
        self._ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # Look-ups block a thread each, and those of dead domains for long: they must not hold up the others.
        self._loop.set_default_executor(ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="dns"))
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()

    async def _open(self) -> None:
        options = self._options
        self._worker = Worker(
            Client(options.policy, options.user_agent, options.rules), FeedParser(workers=options.parsers)
        )

    def start(self, ask: Callable[[Worker], Awaitable[R]], mailbox: Mailbox[R]) -> None:
        """Runs `ask` on the loop; its result goes to the mailbox. It must turn failures into results itself.

        Raises:
            RuntimeError: an earlier one raised; that is a defect, and must end the run rather than lose a result.
        """
        if self._failure is not None:
            raise RuntimeError("a request ended in an exception that is nobody's dead letter") from self._failure
        self._loop.call_soon_threadsafe(self._start, ask, mailbox)

    def _start(self, ask: Callable[[Worker], Awaitable[R]], mailbox: Mailbox[R]) -> None:
        async def run() -> None:
            try:
                mailbox.put(await ask(self._worker))
            except Exception as error:
                self._failure = error

        task = self._loop.create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    @property
    def under_way(self) -> int:
        """How many requests have not come back."""
        return len(self._under_way)

    def close(self) -> None:
        """Breaks off what is under way."""

        async def end() -> None:
            for task in list(self._under_way):
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)
            await self._worker.client.close()
            self._worker.parse.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)


_loops: dict[str, HttpLoop] = {}
_loops_lock = threading.Lock()


def shared_loop(options: HttpOptions) -> HttpLoop:
    """The loop of this process for these options; it lives until `close_loops`."""
    with _loops_lock:
        key: Any = repr(options)
        if key not in _loops:
            _loops[key] = HttpLoop(options)
        return _loops[key]


def requests_under_way() -> int:
    """Requests of this process that have not come back."""
    return sum(loop.under_way for loop in list(_loops.values()))


def close_loops() -> None:
    """Ends all loops of this process: at the end of a run."""
    with _loops_lock:
        for loop in _loops.values():
            loop.close()
        _loops.clear()
