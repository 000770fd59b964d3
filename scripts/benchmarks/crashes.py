"""Kills a live run at random moments, starts it again, and counts what was lost and what was doubled.

The run polls a newsroom that prints, reprints and edits stories all the while. The last run is left alone until every
story has its outcome. Ends with code 0 only if nothing is lost, nothing doubled, and every database is sound.
"""

import argparse
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from scripts.benchmarks.newsroom_run import compared, live_command, newsroom, outcomes, start_live, write_config
from scripts.press.publishing import PressPlan

_TRUTH_S = 15.0
"""Seconds that the newsroom needs to start, and to write what it has printed."""
_SCHEDULE = {
    "min_interval_s": 1,
    "default_interval_s": 1,
    "max_interval_s": 4,
    "backoff_first_s": 1,
    "catch_up_per_s": 500,
}


def main(arguments: Sequence[str]) -> int:
    """Prints how many stories were lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--alive", type=float, nargs=2, default=(5.0, 15.0), metavar=("LEAST", "MOST"), help="seconds")
    parser.add_argument("--feeds", type=int, default=40)
    parser.add_argument("--stories-per-s", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finish", type=float, default=240.0, help="seconds the last run has")
    parser.add_argument("--folder", type=Path, help="keep everything here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        folder = options.folder or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        return _run(options, folder)


def _run(options: argparse.Namespace, folder: Path) -> int:
    chance = random.Random(options.seed)
    room_arguments = [
        *("--feeds", str(options.feeds), "--hosts", str(max(2, options.feeds // 2)), "--seed", str(options.seed)),
        *("--stories-per-s", str(options.stories_per_s), "--broken", "0", "--slow", "0.05", "--flaky", "0.02"),
        *("--edited", "0.1", "--full-text", "0.3"),
    ]
    mean = (options.alive[0] + options.alive[1]) / 2
    stories = int(options.kills * mean * options.stories_per_s)
    config, ledger = folder / "live.yaml", folder / "ledger.db"
    # The moment at which everything is printed, the last edit too. To stop before it would count as lost what no run
    # had time to find.
    silent_at = time.monotonic() + stories / options.stories_per_s + PressPlan.edit_after_s + _TRUTH_S
    with newsroom(folder / "room", [*room_arguments, "--stories", str(stories)]) as room:
        write_config(config, room.folder, _SCHEDULE, tick_s=0.5)
        command = live_command(config, folder)
        moments = []
        for number in range(options.kills):
            process = start_live(command, folder / "live.log")
            time.sleep(chance.uniform(*options.alive))
            if process.poll() is not None:
                print(f"run {number + 1} ended by itself with code {process.returncode}; see {folder / 'live.log'}")
                return 1
            _kill(process.pid)
            process.wait()
            moments.append(len(outcomes(ledger)))
        last = start_live(command, folder / "live.log")
        end = time.monotonic() + options.finish
        while time.monotonic() < end:
            time.sleep(2)
            lost, _ = compared(room.truth(), ledger, folder / "news.db")
            if time.monotonic() > silent_at and not lost and all(outcome for _, outcome, _ in outcomes(ledger)):
                break
        last.send_signal(signal.SIGTERM)
        code = last.wait(60)
        room.stop()
        truth = room.truth()
    lost, extra = compared(truth, ledger, folder / "news.db")
    pending = sum(not outcome for _, outcome, _ in outcomes(ledger))
    sound = [_check(file) for file in (ledger, folder / "news.db")]
    doubled, missing = _doubled(folder / "news.db"), _missing(ledger, folder / "news.db")
    print(f"{options.kills} kills, units in the ledger at each: {moments[:5]} ... {moments[-5:]}")
    print(f"{len(truth)} printed (edits and reprints counted), {sum(lost.values())} lost, {sum(extra.values())} extra")
    print(f"{doubled} records doubled, {missing} missing in the sink, {pending} units pending")
    print(f"last run ended with code {code}")
    print(f"integrity: {sound}")
    for url, count in [*lost.items()][:10]:
        print(f"    lost {count}: {url} {[row for row in truth if row['url'] == url]}")
    for url, count in [*extra.items()][:10]:
        print(f"    extra {count}: {url}")
    good = not lost and not extra and not doubled and not missing and not pending and code == 0 and set(sound) == {"ok"}
    return 0 if good else 1


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _check(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def _doubled(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT count(*) FROM articles GROUP BY url_canonical HAVING count(*) > 1").fetchall()
    return sum(count - 1 for (count,) in rows)


def _missing(ledger: Path, sink: Path) -> int:
    """Returns the articles that the ledger says were written but the sink lacks."""
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("ATTACH ? AS sink", (str(sink),))
        return int(
            database.execute(
                "SELECT count(DISTINCT article_id) FROM units WHERE outcome IN ('story', 'revision', 'unchanged')"
                " AND article_id NOT IN (SELECT id FROM sink.articles)"
            ).fetchone()[0]
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
