import sqlite3
import time
from pathlib import Path

import pytest

from scripts.press.publishing import PressPlan
from scripts.press.site import Temper
from tests.support.live_pipeline import kept, newsroom, run_live

GENTLE = Temper(slow=0.0, broken=0.0, flaky=0.0)


def test_every_story_of_a_newsroom_is_found_once_reprints_and_edits_too(tmp_path: Path) -> None:
    plan = PressPlan(
        feeds=12, hosts=6, stories_per_s=10, lasting=20, reprinted=0.3, edited=0.3, reprint_after_s=1, edit_after_s=6
    )
    with newsroom(plan, Temper(slow=0.0, broken=0.0, flaky=0.05)) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        file = tmp_path / "ledger.db"
        run_live(feeds, file, lambda: site.clock() > 8.5 and len(kept(file)) >= len(site.press.printed))
        printed = [(row["url"], row["edit"]) for row in site.press.truth()]
    found = kept(file)
    assert len({unit for unit, _ in found}) == len(found), "no unit twice"
    assert sorted(url.partition("?")[0] for _, url in found) == sorted(url for url, _ in printed)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM units WHERE settled_in = ''").fetchone() == (0,)


def test_a_second_run_finds_nothing_again(tmp_path: Path) -> None:
    plan = PressPlan(feeds=6, hosts=3, stories_per_s=100, lasting=12, reprinted=0.0, edited=0.0)
    with newsroom(plan, GENTLE) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        file = tmp_path / "ledger.db"
        run_live(feeds, file, lambda: len(kept(file)) >= 12)
        first, polls = kept(file), site.counts["polls"]
        run_live(feeds, file, lambda: site.counts["polls"] > polls + 12)
    assert len(first) == 12
    assert kept(tmp_path / "ledger.db") == first


def test_what_was_found_and_not_settled_comes_again_after_a_restart(tmp_path: Path) -> None:
    plan = PressPlan(feeds=6, hosts=3, stories_per_s=100, lasting=12, reprinted=0.0, edited=0.0)
    with newsroom(plan, GENTLE) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        file = tmp_path / "ledger.db"
        run_live(feeds, file, lambda: len(kept(file)) >= 12, settles=False)
        lost = set(kept(file))
        run_live(feeds, file, lambda: len(kept(file)) >= 24)
    again = kept(file)
    assert len(lost) == 12
    assert sorted(again) == sorted([*lost, *lost])


def test_a_clock_that_is_set_back_a_day_and_forward_again_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = PressPlan(feeds=6, hosts=3, stories_per_s=5, lasting=20, reprinted=0.0, edited=0.0)
    began, real = time.monotonic(), time.time

    def wall_clock() -> float:
        since = time.monotonic() - began
        return real() - (86_400.0 if 3.0 < since < 6.0 else 0.0)

    monkeypatch.setattr(time, "time", wall_clock)
    with newsroom(plan, Temper(slow=0.0, broken=0.0, flaky=0.1)) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        file = tmp_path / "ledger.db"
        run_live(feeds, file, lambda: time.monotonic() - began > 7.0 and len(kept(file)) >= 20)
    found = kept(file)
    assert len({unit for unit, _ in found}) == len(found) == 20


def test_without_a_ledger_the_runner_s_state_remembers(tmp_path: Path) -> None:
    plan = PressPlan(feeds=6, hosts=3, stories_per_s=6, lasting=12, reprinted=0.0, edited=0.0)
    with newsroom(plan, GENTLE) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        file = tmp_path / "kept.db"
        run_live(feeds, file, lambda: len(kept(file)) >= 12 and site.counts["polls"] > 24, memory=False)
    found = kept(file)
    assert len({unit for unit, _ in found}) == len(found) == 12


def test_a_dead_host_is_a_dead_letter_and_holds_nobody_up(tmp_path: Path) -> None:
    plan = PressPlan(feeds=6, hosts=3, stories_per_s=100, lasting=12, reprinted=0.0, edited=0.0, full_text=1.0)
    with newsroom(plan, GENTLE) as site:
        feeds = [site.press.feed_url(number) for number in range(plan.feeds)]
        dead = "http://127.0.0.1:9/feed.xml"
        file = tmp_path / "ledger.db"
        run_live([*feeds, dead], file, lambda: len(kept(file)) >= 12)
        assert site.counts["pages"] == 0, "the feeds carry the text"
    assert len(kept(file)) == 12
    assert [url for _, url in kept(file, "connect")] == [dead]
