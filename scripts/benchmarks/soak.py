"""Measures memory and the CPU cost of waiting in a long live run against a newsroom.

For two thirds of the time the newsroom prints stories, then it is silent and only answers polls. Prints memory and CPU
by the minute; code 0 if memory stayed within 3 % in the last third and CPU there below 5 % of a core.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from scripts.benchmarks.measure import cpu_seconds_of, resident_mb_of
from scripts.benchmarks.newsroom_run import live_command, newsroom, start_live, write_config


def main(arguments: Sequence[str]) -> int:
    """Prints the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--tick", type=float, default=5.0)
    parser.add_argument("--interval", type=float, default=60.0, help="seconds between two polls of a feed")
    parser.add_argument("--stories-per-s", type=float, default=0.5)
    parser.add_argument("--folder", type=Path, help="keep everything here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        folder = options.folder or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        return _run(options, folder)


def _run(options: argparse.Namespace, folder: Path) -> int:
    seconds, interval = 60 * options.minutes, options.interval
    stories = int(seconds * 2 / 3 * options.stories_per_s)
    arguments = ["--feeds", str(options.feeds), "--hosts", "100", "--stories", str(stories), "--no-log"]
    arguments += ["--stories-per-s", str(options.stories_per_s)]
    schedule = {"min_interval_s": interval, "default_interval_s": interval, "max_interval_s": interval}
    samples: list[tuple[float, float, float]] = []
    with newsroom(folder / "room", arguments) as room:
        write_config(folder / "live.yaml", room.folder, schedule, options.tick)
        process = start_live(live_command(folder / "live.yaml", folder), folder / "live.log")
        watched, begun = psutil.Process(process.pid), time.monotonic()
        print(f"{'s':>6}{'MB':>8}{'CPU s':>8}")
        while (now := time.monotonic() - begun) < seconds and process.poll() is None:
            memory, cpu = resident_mb_of(watched), cpu_seconds_of(watched)
            samples.append((now, memory, cpu))
            print(f"{now:6.0f}{memory:8.0f}{cpu:8.1f}", flush=True)
            time.sleep(min(60.0, seconds / 30))
        process.send_signal(signal.SIGTERM)
        process.wait(90)
        room.stop()
    last = [sample for sample in samples if sample[0] >= seconds * 2 / 3 + 2 * interval]
    if len(last) < 2 or process.returncode != 0:
        print(f"too short to tell, or it failed: code {process.returncode}")
        return 1
    memory = [sample[1] for sample in last]
    spread = (max(memory) - min(memory)) / min(memory)
    idle = (last[-1][2] - last[0][2]) / (last[-1][0] - last[0][0])
    print(f"last third: memory {min(memory):.0f} to {max(memory):.0f} MB ({spread:.1%}), {idle:.1%} of a core")
    return 0 if spread <= 0.03 and idle < 0.05 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
