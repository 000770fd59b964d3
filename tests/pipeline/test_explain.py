"""The audit view: every line stands there once, and a hostile page cannot act through it."""

from html.parser import HTMLParser

from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.cleaning.explain import as_html, as_terminal, explanation
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.model.records import Article, Page, RemovedBlock
from tests.support.places import DATA

SEED = DATA / "seeds" / "004_a541cb5c5af859e1.txt"
HOSTILE = Article(
    id="",
    url="https://x.example/<script>",
    title="A \x1b[2Jtitle <img src=x>",
    text="One line with \x1b]0;owned\x07 in it\n中文的一行文字，很长的一行文字，很长的一行文字，很长的一行文字",
    removed_blocks=(RemovedBlock("share", "<script>alert(1)</script>", 1),),
)


def seed() -> Article:
    page = Page(url="", body=SEED.read_bytes(), content_type="text/plain")
    return strip_boilerplate(extract_article(page))


def test_every_line_of_the_page_is_shown_once_in_its_order() -> None:
    article = seed()
    assert [(line.text, line.rule) for line in explanation(article).lines] == all_lines(article)


def test_the_terminal_view_names_the_rule_above_each_removed_line() -> None:
    rows = as_terminal(explanation(seed()), width=120, colour=False).split("\n")
    place = next(number for number, row in enumerate(rows) if "Loading audio" in row)
    assert "[player]" in rows[place - 1]
    assert max(map(len, rows)) <= 200


def test_the_html_view_is_one_page_without_scripts_or_links() -> None:
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not {"src", "href"} & {name for name, _ in attrs}

    Tags().feed(as_html(explanation(HOSTILE)))
    assert "script" not in tags
    assert "img" not in tags
    assert tags.count("tr") == 1 + 3


def test_a_page_cannot_drive_the_terminal_it_is_shown_in() -> None:
    shown = as_terminal(explanation(HOSTILE), colour=False)
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_wide_characters_keep_the_columns_straight() -> None:
    rows = as_terminal(explanation(HOSTILE), width=60, colour=False).split("\n")
    wide = [row for row in rows if "一行" in row]
    assert len(wide) > 1
    assert all(row.endswith("│") for row in wide)
