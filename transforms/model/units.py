"""One input of a replay: where it is stored, and its position in the total order."""

from dataclasses import dataclass, replace
from enum import Enum

from newsbeam.transforms.model.records import Origin

_BEFORE_ALL = "0000-00-00T00:00:00Z"


class Form(str, Enum):
    """The kind of a file, or of a record in a file, told from its content."""

    HTML = "html"
    TEXT = "text"
    FEED = "feed"
    WARC = "warc"
    ROW = "row"
    """One line of JSON: a page or an article."""
    BROKEN = "broken"
    """Cannot be read; `reason` and `message` say why."""


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
    """The file from which it is read: a copy in the spool if the original cannot be read from the middle."""
    source: str
    """The file as the user would name it."""
    name: str
    """The unit's name in messages and records: the path below what the user named, and `#n` inside a file of many."""
    form: Form
    offset: int = 0
    """Offset in `path` in bytes; for a gzipped WARC in the compressed file."""
    length: int = 0
    """Length in bytes: decompressed for a document or WARC record, as stored for a row."""
    digest: str = ""
    """Hash of the content, after the `id` that a row states, if there is one."""
    seen_at: str = ""
    """UTC, ISO 8601 with `Z`; empty where the input does not say."""
    url: str = ""
    """The address that the row or record states, before the page itself is parsed."""
    may_be_feed: bool = False
    """Whether it must be parsed to know that it is a page."""
    reason: str = ""
    message: str = ""
    position: int = -1
    """Number in the plan, from 0."""

    def broken(self, reason: str, message: str) -> "Unit":
        """The same unit as one that cannot be read."""
        return replace(self, form=Form.BROKEN, reason=reason, message=message, digest=self.digest or self.name)

    @property
    def rank(self) -> str:
        """Sort key of the total order as text; inputs without a time come first."""
        return f"{self.seen_at or _BEFORE_ALL}|{self.digest}|{self.name}"

    @property
    def origin(self) -> Origin:
        """The origin of the page, as known before it is parsed."""
        position = self.name.rpartition("#")[2] if "#" in self.name and self.form in _OF_MANY else ""
        return Origin(
            unit=f"{self.source}#{position}" if position else self.source,
            seen_at=self.seen_at,
            rank=self.rank,
            raw_ref=self.name,
            discovered_via=_DISCOVERED_VIA.get(self.form, ""),
        )
