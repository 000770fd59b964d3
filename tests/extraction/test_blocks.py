"""A page as blocks: what is one line of it, and what it says twice."""

import numpy as np

from newsbeam.transforms.extraction.html.article_blocks import article_body, parse, repeats
from newsbeam.transforms.extraction.html.blocks import outline

SENTENCE = "The harbour wall at Saltmarsh was opened to walkers again on Monday, ten weeks after the storms, part {}."


def lines(html: str) -> list[str]:
    return [block.text for block in outline(parse(f"<html><body>{html}</body></html>", "the page")).blocks]


def test_a_row_of_data_is_a_line() -> None:
    html = """<table><thead><tr><th>Club</th><th>Won</th></tr></thead>
        <tr><td><a href="/s">Saltmarsh</a></td><td>12</td></tr>
        <tr><td>Lindholm</td><td> 9 <b>(10)</b></td></tr></table>"""
    assert lines(html) == ["Club Won", "Saltmarsh 12", "Lindholm 9 (10)"]


def test_a_table_that_lays_out_the_page_is_not_read_across() -> None:
    html = "<table><tr><td><ul><li>Home</li><li>Sport</li></ul></td><td><p>One.</p><p>Two.</p></td></tr></table>"
    assert lines(html) == ["Home", "Sport", "One.", "Two."]
    assert lines("<table><tr><td>All of it<br>in one cell</td></tr></table>") == ["All of it", "in one cell"]


def test_a_button_that_is_never_closed_does_not_cost_the_page() -> None:
    story = [SENTENCE.format(number) for number in range(12)]
    html = "<button>Menu</button><button>Search<div>" + "".join(f"<p>{line}</p>" for line in story) + "</div>"
    assert lines(html) == ["Search", *story]
    assert lines("<button><p>Menu</p></button><p>One.</p>") == ["One."]


def test_an_article_that_the_page_holds_twice_is_kept_once() -> None:
    story = [SENTENCE.format(number) for number in range(6)]
    html = "".join(f"<p>{line}</p>" for line in story) + f"<div>wards. {' '.join(story)}</div><p>The end.</p>"
    page = outline(parse(f"<html><body>{html}</body></html>", "the page"))
    body = article_body(page, np.ones(len(page.blocks), dtype=np.float32), False, "")
    assert list(body.lines) == [*story, "The end."]
    assert [(one.rule, one.line) for one in body.removed] == [("repeat", 6)]


def test_a_paragraph_that_quotes_an_earlier_one_is_no_repeat() -> None:
    quoted = SENTENCE.format(1)
    assert not repeats(
        f"“{quoted}” " + "But this is what the council had not said before, and it matters. " * 6, [quoted]
    )
    assert not repeats(quoted, [quoted])
