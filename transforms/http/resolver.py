"""From names to addresses that may be connected to."""

import asyncio
import socket
from collections import OrderedDict
from typing import Protocol

from aiohttp.abc import AbstractResolver, ResolveResult

from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.http.failures import FetchFailed

_NAMES_KEPT = 20_000


class Lookup(Protocol):
    """Finds the addresses of a name."""

    async def __call__(self, host: str, port: int) -> list[str]:
        """IP addresses as text, in the order they should be tried; OSError if there are none."""


async def system_lookup(host: str, port: int) -> list[str]:
    """The addresses of a name as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class VettedResolver(AbstractResolver):
    """Answers with permitted addresses only, and with the same ones for as long as a request is on its way."""

    def __init__(self, rules: AddressRules, lookup: Lookup, ttl_s: float, timeout_s: float) -> None:
        self._rules = rules
        self._lookup = lookup
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._known: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()

    async def addresses(self, host: str, port: int) -> list[str]:
        """The permitted addresses of `host`.

        Raises:
            FetchFailed: `dns` if it has none, `blocked_address` if none is permitted.
        """
        now = asyncio.get_running_loop().time()
        known = self._known.get(host)
        if known is not None and now < known[0]:
            return known[1]
        own = self._rules.answer(host)
        try:
            found = [own] if own is not None else await asyncio.wait_for(self._lookup(host, port), self._timeout_s)
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise FetchFailed("dns", f"the look-up of `{host}` takes longer than {self._timeout_s:g} s") from error
        except OSError as error:
            raise FetchFailed("dns", f"the name `{host}` has no address: {error.strerror or error}") from error
        permitted = [address for address in found if own is not None or self._rules.permits(address)]
        if not found:
            raise FetchFailed("dns", f"the name `{host}` has no address")
        if not permitted:
            raise FetchFailed("blocked_address", f"`{host}` is at {found[0]}, which is not on the public Internet")
        self._known[host] = (now + self._ttl_s, permitted)
        self._known.move_to_end(host)
        if len(self._known) > _NAMES_KEPT:
            self._known.popitem(last=False)
        return permitted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self.addresses(host.lower().rstrip("."), port)
        ]

    async def close(self) -> None:
        self._known.clear()
