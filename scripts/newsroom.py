#!/usr/bin/env -S scripts/with_environment.sh measure
"""Runs a newsroom to test against: a web server on loopback whose feeds and pages behave as those of real sites.

    scripts/newsroom.py --feeds 200 --hosts 50 --stories-per-s 1 --folder out/newsroom

writes to the folder: `feeds.txt` (a feed URL a line), `truth.jsonl` (what was printed, renewed every few seconds and at
the end), `requests.jsonl` (every request). Hosts are `paperN.newsroom.test`; who polls them must lead that domain to
127.0.0.1. The same seed prints the same stories at the same seconds after the start.
"""

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

from scripts.press.publishing import Press, PressPlan
from scripts.press.site import Site, Temper

_TRUTH_EVERY_S = 5.0


async def serve(site: Site, port: int, folder: Path, seconds: float) -> None:
    """Serves until `seconds` are over (0: without end) or a signal arrives."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await site.start(port)
    press = site.press
    (folder / "feeds.txt").write_text("".join(f"{press.feed_url(feed)}\n" for feed in range(press.plan.feeds)))
    print(f"newsroom: {press.plan.feeds} feeds on port {press.port}, listed in {folder / 'feeds.txt'}", flush=True)
    end = time.monotonic() + (seconds or float("inf"))
    while not stop.is_set() and time.monotonic() < end:
        site.write_truth(folder / "truth.jsonl")
        try:
            await asyncio.wait_for(stop.wait(), min(_TRUTH_EVERY_S, max(0.0, end - time.monotonic())))
        except (TimeoutError, asyncio.TimeoutError):
            continue
    site.write_truth(folder / "truth.jsonl")
    await site.stop()
    print(f"newsroom: {dict(site.counts)}, {len(press.printed)} printed", flush=True)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plan, temper = PressPlan(), Temper()
    parser.add_argument("--folder", type=Path, required=True, help="where feeds.txt, truth and requests are written")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--for", dest="seconds", type=float, default=0.0, help="seconds; for ever unless given")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--feeds", type=int, default=plan.feeds)
    parser.add_argument("--hosts", type=int, default=plan.hosts)
    parser.add_argument("--stories-per-s", type=float, default=plan.stories_per_s)
    parser.add_argument("--stories", type=int, default=0, help="print no more than so many")
    parser.add_argument("--busy", type=int, default=0, help="only the first so many feeds print anything")
    parser.add_argument("--reprinted", type=float, default=plan.reprinted, help="share of stories")
    parser.add_argument("--edited", type=float, default=plan.edited, help="share of stories")
    parser.add_argument("--full-text", type=float, default=plan.full_text, help="share of stories")
    parser.add_argument("--slow", type=float, default=temper.slow, help="share of hosts")
    parser.add_argument("--broken", type=float, default=temper.broken, help="share of hosts")
    parser.add_argument("--flaky", type=float, default=temper.flaky, help="share of answers")
    parser.add_argument("--no-log", action="store_true", help="keep no log of requests")
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    plan = PressPlan(
        seed=options.seed,
        feeds=options.feeds,
        hosts=min(options.hosts, options.feeds),
        stories_per_s=options.stories_per_s,
        reprinted=options.reprinted,
        edited=options.edited,
        full_text=options.full_text,
        lasting=options.stories,
        busy=options.busy,
    )
    temper = Temper(slow=options.slow, broken=options.broken, flaky=options.flaky)
    with (options.folder / "requests.jsonl").open("a", buffering=1) as log:
        site = Site(Press(plan), temper, log=None if options.no_log else log)
        asyncio.run(serve(site, options.port, options.folder, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
