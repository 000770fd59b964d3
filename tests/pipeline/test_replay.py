"""The whole pipeline on real input, as a user runs it."""

import gzip
import io
import json
import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from newsbeam.pipeline.cli.main import main
from newsbeam.transforms.ledger.units import Account
from tests.sources.test_reading import PAGE, warc
from tests.support.places import DATA

SEEDS = DATA / "seeds"
GOLD = json.loads((SEEDS / "gold.json").read_text(encoding="utf-8"))

SENTENCES = (
    "The council of {town} has voted to rebuild the bridge over the river by the end of next year.",
    "Engineers of {town} said on {day} that the old spans could no longer carry the weight of heavy lorries.",
    "Residents of {town} have waited {n} years for a decision, the mayor told reporters after the vote.",
    "The work in {town} will cost about {n} million euros, two thirds of which the region is expected to pay.",
    "Ferries will cross at {town} every {n} minutes while the crossing is closed, the transport office announced.",
)


def story(number: int) -> str:
    """A page of an article that no other number has."""
    chance = random.Random(number)
    town = f"Town{number}"
    paragraphs = "".join(
        f"<p>{sentence.format(town=town, day=chance.choice(['Monday', 'Friday']), n=chance.randrange(2, 90))}</p>"
        for sentence in chance.sample(SENTENCES, 4)
    )
    extra = "".join(f"<p>In ward {chance.random():.6f} of {town} opinion was divided {k} to one.</p>" for k in range(5))
    return (
        f"<!doctype html><html lang='en'><head><title>{town} rebuilds its bridge</title></head><body>"
        f"<nav>Home News</nav><article><h1>{town} rebuilds its bridge</h1>{paragraphs}{extra}</article>"
        "<footer>Imprint</footer></body></html>"
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Thirty stories with recorded times, copies among them, and every kind of broken file."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    rows = [
        {
            "url": f"https://paper{n % 3}.example/{n}",
            "html": story(n),
            "fetched_at": f"2024-03-25T{10 + n % 7:02}:0{n % 10}:00Z",
        }
        for n in range(24)
    ]
    rows += [{**rows[n], "url": f"https://copy.example/{n}", "fetched_at": "2024-03-26T00:00:00Z"} for n in (3, 5)]
    random.Random(1).shuffle(rows)
    for part in range(4):
        lines = "\n".join(json.dumps(row) for row in rows[part::4])
        (folder / f"part{part}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for n in range(30, 34):
        (folder / f"{n}.html").write_text(story(n))
    for seed in SEEDS.glob("*.txt"):
        (folder / seed.name).write_bytes(seed.read_bytes())
    (folder / "empty.html").write_bytes(b"")
    (folder / "picture.html").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (folder / "cut.warc.gz").write_bytes(warc(("2024-03-25T19:08:00Z", "200 OK", PAGE * 40))[:-60])
    return folder


def replay(out: Path, *arguments: str | Path) -> list[dict]:
    """Runs the command; the records it wrote."""
    assert main(["replay", *map(str, arguments), "--to", f"jsonl:{out}/stories.jsonl"]) == 0
    return [json.loads(line) for line in (out / "stories.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_seeds_come_out_as_their_gold(tmp_path: Path) -> None:
    records = {record["raw_ref"]: record for record in replay(tmp_path, SEEDS / "*.txt")}
    for gold in GOLD["documents"]:
        record = records[gold["file"]]
        removed = [block["text"] for block in record["removed_blocks"]]
        kept = record["text"].split("\n")
        assert kept == gold["body"] if gold["removed"] else set(gold["body"]) <= set(kept)
        for line in [line for lines in gold["removed"].values() for line in lines]:
            assert line in removed
            assert line not in kept
        assert all(block["rule"] for block in record["removed_blocks"])
        assert record["title"] == gold["title"]
        assert record["authors"] == gold["authors"]
        assert record["published_at"] == gold["published_at"]
        assert record["updated_at"] == gold["updated_at"]
        assert record["language"] == gold["language"]
        assert record["duplicate_kind"] == "unique"
        assert record["topics"][0]["uri"] in gold["topics_primary_any_of"]
    assert len({record["story_id"] for record in records.values()}) == 1


def test_every_input_has_one_outcome_and_the_table_says_so(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = replay(tmp_path, corpus, "--duplicates", "label")
    told = capsys.readouterr().out
    kinds = Counter(record["duplicate_kind"] for record in records)
    assert kinds == {"unique": 30, "exact": 2}
    letters = [json.loads(line) for line in (tmp_path / "stories.dead.jsonl").read_text().splitlines()]
    assert sorted(letter["reason"] for letter in letters) == ["binary", "empty", "truncated"]
    for line in (
        "inputs              35",
        "stories             30",
        "duplicates           2",
        "dead letters         3",
    ):
        assert line in told
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM units WHERE settled_in = noted_in").fetchone() == (35,)


def test_the_same_input_gives_the_same_bytes_in_any_order_and_with_any_number_of_workers(
    corpus: Path, tmp_path: Path
) -> None:
    files = sorted(corpus.iterdir())
    outputs = set()
    for number, workers in enumerate((1, 2, 3)):
        random.Random(number).shuffle(files)
        out = tmp_path / f"out{number}"
        replay(out, *files, "--workers", str(workers), "--duplicates", "label")
        outputs.add(((out / "stories.jsonl").read_bytes(), (out / "stories.dead.jsonl").read_bytes()))
    assert len(outputs) == 1


def test_a_second_replay_changes_nothing_and_says_unchanged(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["replay", str(corpus), "--to", f"sqlite:{tmp_path}/news.db", "--to", f"jsonl:{tmp_path}/s.jsonl"]
    assert main(arguments) == 0
    before = (tmp_path / "s.jsonl").read_bytes(), _rows(tmp_path / "news.db")
    assert "30 inserted" in capsys.readouterr().out
    assert main(arguments) == 0
    assert ((tmp_path / "s.jsonl").read_bytes(), _rows(tmp_path / "news.db")) == before
    assert "30 unchanged" in capsys.readouterr().out


def _rows(database: Path) -> list[tuple]:
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT * FROM articles ORDER BY id").fetchall()


def test_standard_input_is_read_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(story(1).encode())))
    (record,) = replay(tmp_path, "-")
    assert record["title"] == "Town1 rebuilds its bridge"
    assert record["raw_ref"] == "stdin"


def test_a_recorded_feed_gives_an_article_for_each_entry_with_its_text(tmp_path: Path) -> None:
    body = story(7).partition("<h1>")[2].partition("</article>")[0].partition("</h1>")[2]
    feed = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
        <title>Paper</title><link>https://p.example/</link><item><title>A bridge</title><link>https://p.example/1</link>
        <pubDate>Mon, 25 Mar 2024 19:08:00 GMT</pubDate><content:encoded><![CDATA[{body}]]></content:encoded></item>
        <item><title>Only a link</title><link>https://p.example/2</link></item></channel></rss>"""
    file = tmp_path / "feed.xml"
    file.write_text(feed)
    (record,) = replay(tmp_path, file)
    assert (record["title"], record["url"], record["published_at"], record["publisher"]) == (
        "A bridge",
        "https://p.example/1",
        "2024-03-25T19:08:00Z",
        "Paper",
    )
    letter = json.loads((tmp_path / "stories.dead.jsonl").read_text())
    assert (letter["reason"], letter["url"]) == ("no_full_text", "https://p.example/2")


def test_counts_that_do_not_add_up_end_in_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text(story(1))
    monkeypatch.setattr(
        "newsbeam.transforms.ledger.units.Ledger.account",
        lambda *_: Account(2, {"story": 1}, pending=1, unknown=0, lines_removed=0),
    )
    assert main(["replay", str(page), "--to", f"jsonl:{tmp_path}/s.jsonl"]) == 1
    assert "do not add up: 1 inputs have no outcome" in capsys.readouterr().out


def test_half_characters_in_json_neither_stop_the_stream_nor_reach_a_sink(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    text = " ".join(f"A sentence with number {n} in it, and then some more words." for n in range(9))
    row = {"url": "https://a.example/\ud800", "title": "Half \udc00 a pair", "text": f"{text} \ud83d"}
    file.write_text(json.dumps(row))
    (record,) = replay(tmp_path, file)
    assert record["title"] == "Half � a pair"
    assert record["text"].endswith("�")
