"""The dates of one line, each with what the line calls it: a publication or an update."""

import re
from collections.abc import Iterator

from newsbeam.transforms.boilerplate.patterns import patterns
from newsbeam.transforms.text.dates import dates_in
from newsbeam.transforms.text.moment import Moment

# `Jane DoeDec 05, 202312 Shares`, `9 Oct 20239 Oct 2023`, `Nov 20 20194:29 AM`: elements that the style sets apart.
_GLUED = re.compile(
    r"(?<=[A-Za-zà-ÿ])(?=[A-Z][a-z]{2,8}\.? \d)"
    r"|(?<=[a-z] \d\d, 20\d\d)(?=\d)|(?<=[a-z] \d, 20\d\d)(?=\d)|(?<= 20\d\d)(?=\d{1,2}(?::\d\d| [A-Z][a-z]{2}))"
)
_TAIL = 24
"""Characters behind the last date of a line that may hold the time of day and the word for `updated`."""


def dated(line: str) -> Iterator[tuple[Moment, bool]]:
    """The dates in a line for readers, in their order, and whether it says of each that it is one of an update.

    `Published 30 March, updated 2 April`: a word stands for the date behind it, at the end of the line (`2 April
    更新`) for the one before.
    """
    line = _GLUED.sub(" ", line)
    words = patterns().labels["updateword"]
    found = list(dates_in(line))
    before = 0
    for number, (start, end, moment) in enumerate(found, start=1):
        said = line[before:start].casefold()
        is_update = any(word in said for word in words)
        if number == len(found) and not is_update:
            tail = line[end:].casefold().rstrip(" .:)]|")
            is_update = len(tail) <= _TAIL and tail.endswith(tuple(words))
        before = end
        yield moment, is_update
