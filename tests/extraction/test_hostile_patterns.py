"""What a page says of itself is read in time that grows with its length, not with the square of it."""

import time
from collections.abc import Callable

import pytest

from newsbeam.transforms.extraction import json_ld, metadata, names

SIZE = 100_000
SPACES = (" ", "\n", "\u3000")


@pytest.mark.parametrize("space", SPACES, ids=ascii)
@pytest.mark.parametrize(
    "read",
    [
        lambda text: json_ld._loads("]]>" + text + "x"),
        lambda text: json_ld._loads("{" + "," + text + "x"),
        lambda text: json_ld._loads("//" + text + "]]>" + text + "x"),
        lambda text: metadata._AFFIX.findall("Title" + text + "x"),
        lambda text: metadata._AFFIX.findall(text + "-" * 1000 + text + "x"),
        lambda text: names._AGENCY.sub("", "Jane Doe" + text + "x"),
        lambda text: names._ROLE.sub("", "Jane Doe" + text + "x"),
    ],
)
def test_a_long_run_of_spaces_costs_no_more_than_its_length(read: Callable[[str], object], space: str) -> None:
    started = time.process_time()
    read(space * SIZE)
    assert time.process_time() - started < 2.0, "12 s and more where each space is looked at from each other"


def test_comments_around_json_are_still_read_through() -> None:
    for text in (
        '<!-- {"a": 1} -->',
        '//<![CDATA[\n{"a": 1}\n//]]>',
        '/* <![CDATA[ */ {"a": 1}; \n//]]>',
        ' {"a": 1}; ',
    ):
        assert json_ld._loads(text) == {"a": 1}
