import itertools
import json
import urllib.request
from pathlib import Path

from newsbeam.transforms.feeds.document import FeedDocument
from newsbeam.transforms.feeds.parse import parse_feed
from scripts.press import printing
from scripts.press.publishing import Press, PressPlan
from scripts.press.site import Temper
from scripts.press.stories import LANGUAGES, write_story
from tests.support.live_pipeline import newsroom

PLAN = PressPlan(feeds=8, hosts=4, stories_per_s=2, reprinted=0.3, edited=0.3, reprint_after_s=3, edit_after_s=5)


def test_the_same_seed_prints_the_same_however_often_one_looks() -> None:
    often, once = Press(PLAN), Press(PLAN)
    for tenth in range(301):
        often.advance(tenth / 10)
    once.advance(30.0)
    key = ("story", "feed", "edit")
    assert sorted(str([row[name] for name in key]) for row in often.truth()) == sorted(
        str([row[name] for name in key]) for row in once.truth()
    )


def test_two_stories_are_not_taken_for_one() -> None:
    """No two share more than a third of their words in runs of five."""

    def runs(number: int, language: str) -> set[tuple[str, ...]]:
        words = " ".join(write_story(1, number, language).paragraphs).split()
        return set(zip(*(words[place:] for place in range(5)), strict=False))

    for language in LANGUAGES:
        stories = [runs(number, language) for number in range(25)]
        for one, other in itertools.combinations(stories, 2):
            assert len(one & other) / len(one | other) < 0.33


def test_feeds_of_every_format_can_be_read_and_name_every_story() -> None:
    press = Press(PLAN, port=8000)
    press.advance(30.0)
    for number in range(PLAN.feeds):
        body, content_type = printing.feed(press, number, 1_756_720_800.0)
        parsed = parse_feed(FeedDocument(press.feed_url(number), body, content_type))
        wanted = [press.page_url(printed) for printed in press.entries(number)]
        assert [entry.url.partition("?")[0] for entry in parsed.entries] == wanted
        assert not parsed.rejected


def test_a_site_answers_as_real_ones_do(tmp_path: Path) -> None:
    with newsroom(PLAN, Temper(slow=0.0, broken=0.0, flaky=0.0, bare=0.0)) as site:

        def get(path: str, **headers: str) -> tuple[int, str, str]:
            request = urllib.request.Request(
                f"http://127.0.0.1:{site.press.port}{path}", headers={"Host": "paper1.newsroom.test", **headers}
            )
            try:
                with urllib.request.urlopen(request) as response:  # noqa: S310
                    return response.status, response.headers.get("ETag", ""), response.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, "", ""

        status, etag, _ = get("/feeds/1.xml")
        assert (status, bool(etag)) == (200, True)
        assert get("/robots.txt")[0] == 200
        assert get("/feeds/2.xml")[0] == 404, "another host's"
        assert get("/news/1/999999")[0] == 404
        site.write_truth(tmp_path / "truth.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert rows[0]["story"] == 0
