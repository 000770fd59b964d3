"""Plays `opml/`: real lists of feeds, most of them ill-formed."""

import html
import re
from pathlib import Path

from newsbeam.transforms.feeds.document import ParsedFeed
from scripts.conformance.reading import document, feed_sandbox, read_all, summary
from scripts.conformance.result import GroupResult

_ADDRESS = re.compile(r"""\bxmlUrl\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def run(folder: Path) -> GroupResult:
    """Checks that every address of a list is found, unchanged."""
    files = sorted(str(path.relative_to(folder)) for path in (folder / "opml").glob("*.opml"))
    failures = []
    with feed_sandbox() as sandbox:
        for file, read in zip(files, read_all(sandbox, [document(folder, file) for file in files]), strict=True):
            text = (folder / file).read_text("utf-8", "replace")
            wanted = {html.unescape(double or single).strip() for double, single in _ADDRESS.findall(text)}
            addresses = {further.url for further in read.further} if isinstance(read, ParsedFeed) else set()
            if addresses != {address for address in wanted if address.startswith(("http://", "https://"))}:
                lost, extra = sorted(wanted - addresses)[:3], sorted(addresses - wanted)[:3]
                failures.append(f"{file}: {summary(read)}; not found {lost}, not in it {extra}")
    return GroupResult("opml", len(files) - len(failures), len(files), tuple(failures))
