"""What the readers of the several formats have in common: an entry before it has an identity."""

from dataclasses import dataclass, field

from newsbeam.transforms.feeds.document import FurtherDocument, PollHints


@dataclass(frozen=True)
class DraftEntry:
    """One item, as its format has it: markup, dates and links unread."""

    links: tuple[str, ...] = ()
    """Addresses that may be the article's, best first; relative ones allowed."""
    guid: str = ""
    guid_is_link: bool = False
    title: str = ""
    title_is_plain: bool = False
    """False where tags in it are markup, and entities stand for characters."""
    summary: str = ""
    summary_is_plain: bool = False
    content: str = ""
    """HTML."""
    published: str = ""
    updated: str = ""
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    language: str = ""
    publisher: str = ""


@dataclass(frozen=True)
class Draft:
    """One document, as its format has it."""

    format: str
    title: str = ""
    language: str = ""
    link_base: str = ""
    """What relative links are relative to, where the format says so; else the document's own address."""
    entries: tuple[DraftEntry, ...] = ()
    further: tuple[FurtherDocument, ...] = ()
    hints: PollHints = field(default_factory=PollHints)
    warnings: tuple[str, ...] = ()
