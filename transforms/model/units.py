"""One unit of replay input: where it lies and its place in the total order."""

from dataclasses import dataclass, replace
from enum import Enum

from newsbeam.transforms.model.records import Origin

_BEFORE_ALL = "0000-00-00T00:00:00Z"


class Form(str, Enum):
    """What a file or a record in a file is, told from its content."""

    HTML = "html"
    TEXT = "text"
    FEED = "feed"
    WARC = "warc"
    ROW = "row"
    """One line of JSON: a page or an article."""
    BROKEN = "broken"
    """Nothing that can be read; `reason` and `message` say why."""


_OF_MANY = (Form.WARC, Form.ROW, Form.BROKEN)
_DISCOVERED_VIA = {
    Form.HTML: "file",
    Form.TEXT: "file",
    Form.FEED: "feed",
    Form.WARC: "warc",
    Form.ROW: "jsonl",
}


@dataclass(frozen=True)
class Unit:
    """One input as the scan found it.

    Units are worked through in the order of (`seen_at`, `digest`, `name`): when newsbeam saw it, then the id it has of
    its own, then what it holds. None of these depends on the order of the files, on the machine, or on the number of
    workers.
    """

    path: str
    """The file to read it from (a spooled copy where the original cannot be read from the middle)."""
    source: str
    """The file as the user would name it."""
    name: str
    """The unit for people and records: the path below what the user named, and `#n` inside a file of many."""
    form: Form
    offset: int = 0
    """Where it begins in `path`, in bytes; for a gzipped WARC in the compressed file."""
    length: int = 0
    """Bytes that it holds: of a document or a record when decompressed, of a row as it stands."""
    digest: str = ""
    """Hash of what it holds; before it, the `id` that a row gives itself."""
    seen_at: str = ""
    """UTC, ISO 8601 with `Z`; empty where the input does not say."""
    url: str = ""
    """As the row or the record says it, before the page itself is read."""
    may_be_feed: bool = False
    """Whether it has to be looked into before it is known to be a page."""
    reason: str = ""
    message: str = ""
    position: int = -1
    """In the plan, from 0."""

    def broken(self, reason: str, message: str) -> "Unit":
        """The same unit as one that cannot be read."""
        return replace(self, form=Form.BROKEN, reason=reason, message=message, digest=self.digest or self.name)

    @property
    def rank(self) -> str:
        """Its place in the total order, as text that sorts; what has no time comes first."""
        return f"{self.seen_at or _BEFORE_ALL}|{self.digest}|{self.name}"

    @property
    def origin(self) -> Origin:
        """What is known of it before it is read."""
        place = self.name.rpartition("#")[2] if "#" in self.name and self.form in _OF_MANY else ""
        return Origin(
            unit=f"{self.source}#{place}" if place else self.source,
            seen_at=self.seen_at,
            rank=self.rank,
            raw_ref=self.name,
            discovered_via=_DISCOVERED_VIA.get(self.form, ""),
        )
