"""The article in the data of a page's scripts: where it is found, and what is not taken for it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.script_state import Stated, stated_article
from newsbeam.transforms.model.errors import Rejected
from tests.extraction.test_pages import HARBOUR

TITLE = "Harbour wall at Saltmarsh reopens to walkers"
STORY = [
    "The harbour wall at Saltmarsh was opened to walkers again on Monday, ten weeks after the storms of January.",
    "Divers had found cracks below the waterline, said the harbour master, Ada Lind, and the work took longer for it.",
    "The council paid 1.2 million for the repairs; half of it comes from the county's fund for coasts and rivers.",
    "“We walked here as children,” said Tom Grey, who was the first through the gate, “and now our own children can.”",
    "The fishing boats, moved to the old dock in winter, are to come back in the course of the week, weather allowing.",
    "A report on the southern end of the wall, which was not damaged, is expected for the council's meeting in May.",
]
OTHER = [f"{number}. Elsewhere the prices of tram tickets rise again, the operator said." for number in range(5)]
MARKUP = "".join(f"<p>{line}</p>" for line in STORY)


def state(*bodies: str) -> str:
    return json.dumps({"page": {"articles": [{"id": place, "content": body} for place, body in enumerate(bodies)]}})


def flight(body: str) -> str:
    """As React streams it: rows of text in a call's argument."""
    return f"self.__next_f.push({json.dumps([1, '1a:T3f2,' + body])})"


def items(lines: list[str]) -> str:
    return f"window.STATE = {json.dumps({'blocks': [{'type': 'text', 'value': line} for line in lines]})};"


def nested(body: str) -> str:
    return f"boot({json.dumps(json.dumps({'body': body}))})"


def page(script: str, shown: str = "<div>Please wait</div>") -> str:
    safe = script.replace("<", "\\u003c")
    return f"<html><head><title>{TITLE}</title></head><body>{shown}<script>{safe}</script></body></html>"


def stated(html: str, lines: list[str], described: str = "") -> Stated:
    return stated_article(parse(html, "the page"), described, TITLE, lines)


@pytest.mark.parametrize(
    "script", [state(MARKUP), flight(MARKUP), items(STORY), nested(MARKUP), f"a = 1;{state(MARKUP)}"]
)
def test_an_article_is_found_however_the_state_holds_it(script: str) -> None:
    found = stated(page(script), STORY)
    assert found.text.split("\n") == STORY
    assert not found.undrawn


def test_of_several_texts_the_one_that_the_page_shows_is_the_article() -> None:
    longer = "".join(f"<p>{line} {line}</p>" for line in OTHER)
    assert stated(page(state(longer, MARKUP)), STORY).text.split("\n") == STORY


def test_a_text_that_the_page_does_not_show_is_not_evidence() -> None:
    html = page(state("".join(f"<p>{line}</p>" for line in OTHER)))
    assert stated(html, STORY) == Stated()
    assert stated(html, STORY, "The wall is open.") == Stated("The wall is open.")


def test_where_json_ld_has_the_article_scripts_are_not_read() -> None:
    body = "\n".join(STORY)
    assert stated(page(state(MARKUP)), STORY, body) == Stated(body)


def test_an_article_that_only_a_script_would_draw_is_judged_as_if_it_had() -> None:
    caption = "<figure><figcaption>Tom Grey at the gate. Photo: M. Hill</figcaption></figure>"
    html = page(state(caption + MARKUP + "<p>Read more: <a href='/ships'>Ships of the coast</a></p>"))
    article = extract_article(replace(HARBOUR, body=html.encode()))
    assert article.extractor == "script"
    assert article.title == TITLE
    assert set(STORY) <= set(article.text.split("\n"))
    assert "Read more" not in article.text


def test_the_state_of_another_story_does_not_stand_in_for_an_empty_page() -> None:
    html = page(state("".join(f"<p>{line}</p>" for line in OTHER)))
    with pytest.raises(Rejected) as told:
        extract_article(replace(HARBOUR, body=html.encode()))
    assert told.value.reason == "no_text"


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='[]{}",:\\u003cp/>=( \n1a', max_size=400), st.integers(0, 5))
def test_no_script_breaks_the_page(garbage: str, depth: int) -> None:
    deep = "[" * 100 * depth + garbage
    found = stated(page(deep * 3 + flight(MARKUP)[: 50 * depth]), STORY)
    assert found.text or not found.markup
