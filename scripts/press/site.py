"""Serves the press on one port of loopback; hosts are told apart by the Host header, as on real servers."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from aiohttp import web

from scripts.press.printing import feed, page
from scripts.press.publishing import Press


@dataclass(frozen=True)
class Temper:
    """How badly hosts behave: shares of all hosts, or of all responses where stated.

    Attributes:
        slow: hosts whose answers take `slow_s`.
        broken: hosts that answer 503 to everything.
        flaky: share of answers that are a 500.
        bare: hosts that send no validators.
        forbidden: hosts whose robots.txt forbids all pages.
        latency_s: of everybody else.
    """

    slow: float = 0.02
    slow_s: float = 3.0
    broken: float = 0.01
    flaky: float = 0.01
    bare: float = 0.2
    forbidden: float = 0.0
    latency_s: float = 0.0


@dataclass
class Site:
    """Serves a press.

    Args:
        press: what is printed.
        temper: how the hosts behave.
        clock: seconds of the press's clock; real ones unless given.
        log: a line of JSON a request goes here.
    """

    press: Press
    temper: Temper = field(default_factory=Temper)
    clock: Callable[[], float] | None = None
    log: TextIO | None = None
    counts: Counter[str] = field(default_factory=Counter)
    epoch: float = 0.0

    async def start(self, port: int = 0) -> int:
        """Starts to serve and returns the port."""
        began = time.monotonic()
        if self.clock is None:
            self.clock = lambda: time.monotonic() - began
        self.epoch = self.epoch or time.time() - self.clock()
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        server = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await server.start()
        addresses = self._runner.addresses
        self.press.port = int(addresses[0][1])
        return self.press.port

    async def stop(self) -> None:
        """Closes all connections."""
        await self._runner.cleanup()

    def _now(self) -> float:
        assert self.clock is not None  # noqa: S101 - set by start()
        return self.clock()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        now = self._now()
        self.press.advance(now)
        host = request.host.partition(":")[0]
        number = int("".join(letter for letter in host if letter.isdigit()) or 0)
        temper, chance = self.temper, self.press.chance
        if chance("slow", number) < temper.slow:
            await asyncio.sleep(temper.slow_s)
        elif temper.latency_s:
            await asyncio.sleep(temper.latency_s)
        self.counts["requests"] += 1
        if chance("broken", number) < temper.broken:
            response = web.Response(status=503)
        elif request.path != "/robots.txt" and chance("flaky", self.counts["requests"]) < temper.flaky:
            response = web.Response(status=500)
        else:
            response = self._page_or_feed(request, number)
        self._note(request, host, response.status, now)
        return response

    def _page_or_feed(self, request: web.Request, host: int) -> web.Response:
        parts = request.path.strip("/").split("/")
        if parts[0] == "robots.txt":
            forbidden = self.press.chance("forbidden", host) < self.temper.forbidden
            return web.Response(text=f"User-agent: *\nDisallow: {'/news/' if forbidden else '/private/'}\n")
        if parts[0] == "feeds" and len(parts) == 2 and parts[1].removesuffix(".xml").isdigit():
            return self._feed(request, int(parts[1].removesuffix(".xml")), host)
        if parts[0] == "news" and len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            printed = self.press.page(int(parts[2]), int(parts[1]))
            if printed is not None:
                self.counts["pages"] += 1
                body = page(self.press, printed, self.epoch)
                return web.Response(body=body, headers={"Content-Type": "text/html; charset=utf-8"})
        return web.Response(status=404)

    def _feed(self, request: web.Request, number: int, host: int) -> web.Response:
        if number >= self.press.plan.feeds or number % self.press.plan.hosts != host:
            return web.Response(status=404)
        version, _ = self.press.version(number)
        etag = f'"{number}-{version}"'
        headers = {} if self.press.chance("bare", host) < self.temper.bare else {"ETag": etag}
        self.counts["polls"] += 1
        if headers and request.headers.get("If-None-Match") == etag:
            self.counts["not modified"] += 1
            return web.Response(status=304, headers=headers)
        body, content_type = feed(self.press, number, self.epoch)
        return web.Response(body=body, headers={**headers, "Content-Type": content_type})

    def _note(self, request: web.Request, host: str, status: int, now: float) -> None:
        if self.log is None:
            return
        line = {
            "at": round(now, 3),
            "host": host,
            "path": request.path,
            "status": status,
            "conditional": "If-None-Match" in request.headers,
        }
        self.log.write(json.dumps(line) + "\n")

    def write_truth(self, file: Path) -> None:
        """Writes the list of printed stories, completely or not at all."""
        self.press.advance(self._now())
        part = file.with_suffix(".part")
        with part.open("w") as out:
            for row in self.press.truth():
                out.write(json.dumps({**row, "epoch": self.epoch}) + "\n")
        part.replace(file)
