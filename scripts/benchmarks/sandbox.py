"""Measures the cost of running a function in the sandbox, beside the process pool of the standard library.

scripts/bench.py sandbox [--calls N] [--kilobytes N]
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox


def echo(page: bytes) -> bytes:
    """Returns its argument: the least that sending a page to a child and back can cost. Dies of an empty page."""
    if not page:
        os._exit(1)
    return page


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--kilobytes", type=int, default=100, help="size of a page, which is sent there and back")
    options = parser.parse_args(argv)
    page = os.urandom(options.kilobytes * 1000)
    print(f"{options.calls} calls with {options.kilobytes} KB there and back, one after another, ms a call")
    with Sandbox(echo, seconds=5, memory_mb=256) as sandbox:
        ours = _report("Sandbox", sandbox, page, options.calls)
        begun = time.perf_counter()
        for _ in range(50):
            with suppress(Rejected):
                sandbox(b"")
        print(f"{'a death and a new worker':<28} {(time.perf_counter() - begun) / 50 * 1000:8.3f}")
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        theirs = _report("ProcessPoolExecutor", lambda given: pool.submit(echo, given).result(), page, options.calls)
    print(f"ratio {ours / theirs:.2f}")
    return 0


def _report(name: str, call: Callable[[bytes], bytes], page: bytes, calls: int) -> float:
    call(page)
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call(page)
    wall = (time.perf_counter() - begun) / calls * 1000
    print(f"{name:<28} {wall:8.3f} wall, {(time.process_time() - cpu) / calls * 1000:.3f} CPU of the caller")
    return wall
