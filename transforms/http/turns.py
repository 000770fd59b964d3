"""Whose turn it is: so many requests at once for all, for one host and for one address, and so long apart."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from newsbeam.transforms.http.policy import FetchPolicy

_HOSTS_KEPT = 50_000


class _Host:
    def __init__(self, per_host: int) -> None:
        self.slots = asyncio.Semaphore(per_host)
        self.starting = asyncio.Lock()
        self.last_start = float("-inf")
        self.delay_s = 0.0
        self.users = 0


class _Address:
    def __init__(self, per_address: int) -> None:
        self.slots = asyncio.Semaphore(per_address)
        self.users = 0


class Turns:
    """Lets requests start. Who waits for a host takes no room from others.

    Args:
        policy: the numbers.
        address_of: finds the address of a host and port; raises if there is none.
    """

    def __init__(self, policy: FetchPolicy, address_of: Callable[[str, int], Awaitable[str]]) -> None:
        self._policy = policy
        self._address_of = address_of
        self._all = asyncio.Semaphore(policy.concurrency)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._addresses: dict[str, _Address] = {}

    def slow_down(self, host: str, delay_s: float) -> None:
        """Keeps the requests to `host` at least so long apart (its `Crawl-delay`)."""
        if delay_s and host in self._hosts:
            self._hosts[host].delay_s = delay_s

    @asynccontextmanager
    async def turn(self, host: str, port: int) -> AsyncIterator[None]:
        """Waits until the host, its address and the client have room, and the last start is long enough ago."""
        known = self._hosts.get(host)
        if known is None:
            known = self._hosts[host] = _Host(self._policy.per_host)
        self._hosts.move_to_end(host)
        known.users += 1
        try:
            async with known.slots:
                async with known.starting:
                    address = await self._start(known, host, port)
                try:
                    yield
                finally:
                    self._all.release()
                    self._leave(address)
        finally:
            known.users -= 1
            self._forget()

    async def _start(self, host: _Host, name: str, port: int) -> str:
        clock = asyncio.get_running_loop().time
        wait = host.last_start + max(self._policy.min_delay_s, host.delay_s) - clock()
        if wait > 0:
            await asyncio.sleep(wait)
        address = await self._address_of(name, port)
        held = self._addresses.setdefault(address, _Address(self._policy.per_address))
        held.users += 1
        try:
            await held.slots.acquire()
        except BaseException:
            self._drop(address)
            raise
        try:
            await self._all.acquire()
        except BaseException:
            self._leave(address)
            raise
        host.last_start = clock()
        return address

    def _leave(self, address: str) -> None:
        self._addresses[address].slots.release()
        self._drop(address)

    def _drop(self, address: str) -> None:
        self._addresses[address].users -= 1
        if not self._addresses[address].users:
            del self._addresses[address]

    def _forget(self) -> None:
        while len(self._hosts) > _HOSTS_KEPT:
            host, known = next(iter(self._hosts.items()))
            if known.users:
                return
            del self._hosts[host]
