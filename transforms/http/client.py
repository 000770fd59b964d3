"""The one HTTP client of a worker: aiohttp under the rules of `FetchPolicy` and `AddressRules`.

A response's time budget counts from the first byte sent, not from when its turn was asked for; its size is counted
after decompression; redirects are followed here, one hop at a time, so that each is checked like a first request.
"""

import asyncio
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from newsbeam.transforms.http.addresses import AddressRules, check_url, host_of
from newsbeam.transforms.http.decoding import ACCEPTED, Body
from newsbeam.transforms.http.failures import FetchFailed
from newsbeam.transforms.http.policy import FetchPolicy
from newsbeam.transforms.http.resolver import Lookup, VettedResolver, system_lookup
from newsbeam.transforms.http.robots import Robots, RobotsFetch, decide, origin_of, robots_url
from newsbeam.transforms.http.turns import Turns
from newsbeam.transforms.model.errors import Rejected

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5"
)
PAGE_TYPES = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"

_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_READ = 1 << 16


@dataclass(frozen=True)
class Response:
    """What a server answered.

    Attributes:
        url: where the answer came from, after redirects.
        permanent_url: where the leading permanent redirects (301, 308) led; empty if the first was none.
        headers: names in lower case; of a repeated header all values, joined by `, `.
        body: decoded; empty unless the status is 2xx.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    permanent_url: str = ""
    redirects: int = 0


class _Blocked(OSError):
    """Raised where a socket would have connected to an address that is not permitted."""


class Client:
    """Polite requests over one connection pool. Belongs to one event loop; make it there, close it there.

    Args:
        policy: numbers of politeness and limits.
        user_agent: with a contact, as sent.
        rules: which addresses may be reached.
        lookup: finds the addresses of a name.
        make_socket: makes the socket for a checked address; a test may lead it elsewhere.
        tls: an own context; the default verifies certificates against the system's authorities.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        user_agent: str,
        rules: AddressRules | None = None,
        lookup: Lookup = system_lookup,
        make_socket: Callable[[Any], socket.socket] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._rules = rules or AddressRules()
        self._make_socket = make_socket or (lambda info: socket.socket(info[0], info[1], info[2]))
        self._resolver = VettedResolver(self._rules, lookup, policy.dns_ttl_s, policy.connect_timeout_s)
        self._agent = user_agent
        self._turns = Turns(policy, self._address_of)
        self._robots: OrderedDict[str, tuple[float, Robots]] = OrderedDict()
        self._robots_asked: dict[str, asyncio.Task[Robots]] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                limit=0,
                ssl=tls or True,
                socket_factory=self._guarded_socket,
                keepalive_timeout=15.0,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=policy.max_header_bytes,
            max_field_size=policy.max_header_bytes,
            headers={"User-Agent": user_agent, "Accept-Encoding": ACCEPTED},
        )

    async def close(self) -> None:
        """Ends all connections."""
        for task in list(self._robots_asked.values()):
            task.cancel()
        await self._session.close()

    async def _address_of(self, host: str, port: int) -> str:
        return host if _is_literal(host) else (await self._resolver.addresses(host, port))[0]

    def _guarded_socket(self, info: Any) -> socket.socket:
        address = str(info[4][0])
        if not self._rules.permits(address):
            raise _Blocked(f"{address} is not on the public Internet")
        return self._make_socket(info)

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        accept: str = FEED_TYPES,
        own_headers: Mapping[str, str] | None = None,
        max_redirects: int | None = None,
        cut_at: int | None = None,
        gate: Callable[[str], Any] | None = None,
    ) -> Response:
        """Asks for `url` and follows its redirects.

        Args:
            url: as it is to be sent; bytes that no URL may have are escaped, nothing else is changed.
            headers: go with every hop (validators).
            accept: media types that are understood.
            own_headers: what the user gave for this site (`Authorization`); sent to its own origin only.
            max_redirects: instead of the policy's.
            cut_at: read so many bytes and leave the rest, instead of failing past the policy's limit.
            gate: awaited with each hop's URL before it is asked; raises to stop.

        Raises:
            FetchFailed: with the reason.
        """
        first, permanent, at_first = url, "", True
        limit = self._policy.max_redirects if max_redirects is None else max_redirects
        budget = self._policy.total_deadline_s
        clock = asyncio.get_running_loop().time
        for hop in range(limit + 1):
            try:
                host = check_url(url, self._rules)
            except Rejected as error:
                raise FetchFailed(error.reason, error.message) from None
            if gate is not None:
                await gate(url)
            sent = {"Accept": accept, **(headers or {})}
            if own_headers and origin_of(url) == origin_of(first):
                sent.update(own_headers)
            async with self._turns.turn(host, _port(url)):
                started = clock()
                status, received, body = await self._once(url, sent, budget, cut_at)
                budget -= clock() - started
            if status not in _REDIRECTS:
                return Response(url, status, received, body, permanent, hop)
            location = received.get("location", "")
            if not location:
                raise FetchFailed("bad_response", f"{url} answers {status} without saying where to")
            url = _without_user(_joined(url, location))
            at_first = at_first and status in _PERMANENT
            if at_first:
                permanent = url
                headers = {}  # a validator belongs to the URL that gave it
        raise FetchFailed("too_many_redirects", f"{first} is redirected more than {limit} times")

    async def _once(
        self, url: str, headers: Mapping[str, str], budget: float, cut_at: int | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One hop: status, headers, and the body if it is a success."""
        try:
            target = URL(url, encoded=True) if _is_sendable(url) else URL(url)
            limits = aiohttp.ClientTimeout(
                total=max(budget, 0.001),
                sock_connect=self._policy.connect_timeout_s,
                ceil_threshold=self._policy.total_deadline_s + 1,  # not rounded up to whole seconds
            )
            async with self._session.get(target, headers=headers, allow_redirects=False, timeout=limits) as response:
                received = _joined_headers(response)
                if not 200 <= response.status < 300:
                    if not response.content.is_eof():
                        response.close()  # the body of a failure is not read, and never decoded
                    return response.status, received, b""
                return response.status, received, await self._body(response, received, cut_at)
        except FetchFailed:
            raise
        except Rejected as error:
            raise FetchFailed(error.reason, f"{url}: {error.message}") from error
        except (TimeoutError, asyncio.TimeoutError) as error:
            late = "no connection" if isinstance(error, aiohttp.ConnectionTimeoutError) else "no whole answer"
            limit = self._policy.connect_timeout_s if late == "no connection" else self._policy.total_deadline_s
            raise FetchFailed("timeout", f"{url}: {late} within {limit:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError, AssertionError) as error:
            raise _explained(url, error) from error

    async def _body(self, response: aiohttp.ClientResponse, headers: Mapping[str, str], cut_at: int | None) -> bytes:
        body = Body(headers.get("content-encoding", ""), self._policy.max_body_bytes)
        read = 0
        async for chunk in response.content.iter_chunked(_READ):
            body.feed(chunk)
            read += len(chunk)
            if cut_at is not None and read > cut_at:
                response.close()
                return body.so_far()
        return body.whole()

    async def robots(self, url: str) -> Robots:
        """What the robots.txt of the origin of `url` says: from memory for a day, asked for once at a time."""
        origin = origin_of(url)
        known = self._robots.get(origin)
        if known is not None and asyncio.get_running_loop().time() < known[0]:
            return known[1]
        task = self._robots_asked.get(origin)
        if task is None:
            task = asyncio.create_task(self._ask_robots(origin, url, known[1] if known is not None else None))
            self._robots_asked[origin] = task
            task.add_done_callback(lambda _: self._robots_asked.pop(origin, None))
        return await asyncio.shield(task)

    async def _ask_robots(self, origin: str, url: str, old: Robots | None) -> Robots:
        policy = self._policy
        try:
            response = await self.get(
                robots_url(url),
                accept="text/plain, */*;q=0.5",
                max_redirects=policy.robots_max_redirects,
                cut_at=policy.robots_max_bytes,
            )
            answer = RobotsFetch(response.status, response.body)
        except FetchFailed as error:
            answer = RobotsFetch(0, redirects_exceeded=error.reason == "too_many_redirects")
        robots = decide(answer, policy.robots_max_bytes)
        if not robots.reachable and old is not None and old.reachable:
            robots = old  # RFC 9309 2.4: an old copy may be used for as long as the file cannot be reached
            ttl = policy.robots_retry_s
        else:
            ttl = policy.robots_ttl_s if robots.reachable else policy.robots_retry_s
        self._robots[origin] = (asyncio.get_running_loop().time() + ttl, robots)
        self._robots.move_to_end(origin)
        if len(self._robots) > 10_000:
            self._robots.popitem(last=False)
        return robots

    async def get_page(self, url: str, agent: str) -> Response:
        """Asks for a page, if the robots.txt of each hop's origin lets `agent` (a product token).

        Raises:
            FetchFailed: as `get`, and `robots_disallowed`, `robots_unreachable`.
        """

        async def gate(hop: str) -> None:
            robots = await self.robots(hop)
            if not robots.reachable:
                raise FetchFailed("robots_unreachable", f"{robots_url(hop)} cannot be reached: the site is left alone")
            if not robots.allows(hop, agent):
                raise FetchFailed("robots_disallowed", f"{robots_url(hop)} does not allow {hop}")
            self._turns.slow_down(host_of(hop), min(robots.crawl_delay_s(agent), self._policy.crawl_delay_cap_s))

        return await self.get(url, accept=PAGE_TYPES, gate=gate)


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _is_sendable(url: str) -> bool:
    return url.isascii() and not any(letter in url for letter in ' "<>\\^`{|}')


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location.strip())
    except ValueError:
        raise FetchFailed("blocked_url", f"{url} is redirected to `{location[:200]}`, which is no URL") from None


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def _joined_headers(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined and key != "location" else value
    return joined


def _explained(url: str, error: Exception) -> FetchFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Blocked):
            return FetchFailed("blocked_address", f"{url}: {cause}")
        if isinstance(cause, FetchFailed):
            return cause
        cause = cause.__cause__ or cause.__context__
    text = str(error) or type(error).__name__
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return FetchFailed("tls", f"{url}: {text}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchFailed("dns", f"{url}: {text}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return FetchFailed("connect", f"{url}: {text}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return FetchFailed("truncated", f"{url}: the body ends before it should: {text[:200]}")
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return FetchFailed("blocked_url", f"`{url[:200]}` cannot be asked: {text[:200]}")
    return FetchFailed("bad_response", f"{url}: {text[:300]}")
