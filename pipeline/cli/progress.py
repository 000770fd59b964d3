"""How far a long run is: a bar with rate and time left on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

_LOOK_SECONDS = 0.5
_LINE_SECONDS = 10.0


@contextmanager
def progress(what: str, total: int, done: Callable[[], int]) -> Iterator[None]:
    """Shows, until the block ends, how many of `total` units `done()` counts. Writes to standard error."""
    stop = threading.Event()
    show = _bar if sys.stderr.isatty() else _lines
    watcher = threading.Thread(target=show, args=(what, total, done, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _bar(what: str, total: int, done: Callable[[], int], stop: threading.Event) -> None:
    with tqdm(total=total, desc=what, unit=" units", leave=False) as bar:
        while not stop.wait(_LOOK_SECONDS):
            bar.update(done() - bar.n)


def _lines(what: str, total: int, done: Callable[[], int], stop: threading.Event) -> None:
    begun = time.monotonic()
    while not stop.wait(_LINE_SECONDS):
        count, seconds = done(), time.monotonic() - begun
        rate = count / seconds
        left = f", {(total - count) / rate:.0f} s left" if rate else ""
        print(f"{what}: {count} of {total}, {rate:.0f}/s{left}", file=sys.stderr, flush=True)
