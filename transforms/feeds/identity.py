"""Which entry is which: within one document, and from one poll to the next.

A guid that stands for two links in one document is not believed, nor is a link that stands for two guids (feeds whose
entries all link to the home page), nor are both if they stand for several contents. What is believed, and the pair of
both, are the keys an entry is known by: it is the same entry if any one of them is known, so that a change of guids, or
of links, makes nothing new.

Several articles may have one canonical URL (advisories that all link to one page, sections of one page, routes behind
`#/`). What tells them apart within their feed (`shared_links`) is then a part of their identity.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from urllib.parse import urlsplit

from newsbeam.transforms.model.identity import canonical_url
from newsbeam.transforms.model.records import Entry

FRAGMENT, GUID, TITLE, CONTENT = "fragment", "guid", "title", "content"
_FEWEST_OF_A_LIST = 3
"""So many entries with one link, or half of a feed, and the page behind it is a list, not one of the articles."""


@dataclass(frozen=True)
class Identity:
    """`name` is for people and for records; `keys` are 16 hex digits each, for comparison with earlier polls."""

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What a poll brought.

    `remember` is to be merged into what is known, once the outcomes are durable; `present` are the keys of all entries
    in the document, so that those long gone can be forgotten.
    """

    new: tuple[Entry, ...]
    updated: tuple[Entry, ...]
    remember: Mapping[str, str]
    present: tuple[str, ...]


def fingerprint(*texts: str) -> str:
    """64 bits of the texts, as 16 hex digits."""
    return blake2b("\x1f".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def link_key(address: str) -> str:
    """What all addresses of one article have in common; a guid that is no address stays as it is."""
    return (canonical_url(address) if "://" in address else "") or address


def shared_links(entries: Sequence[Entry], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The canonical URLs that stand for several articles of a feed, and what tells these apart: `FRAGMENT`, `GUID`,
    `TITLE` or `CONTENT`.

    Args:
        entries: of one document.
        known: of earlier polls (`sharing_key` to the fingerprint of what told them apart): a link that was shared once
            stays so, even if the document has one entry of it left.
    """
    behind: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.url:
            behind.setdefault(link_key(entry.url), []).append(entry)
    shared: dict[str, str] = {}
    for link, members in behind.items():
        before = (known or {}).get(sharing_key(link))
        told_by = next((kind for kind in (FRAGMENT, GUID, TITLE, CONTENT) if before == fingerprint(kind)), "")
        if told_by or len({member.content_hash for member in members}) > 1:
            shared[link] = told_by or _told_apart_by(members)
    return shared


def sharing_key(link: str) -> str:
    """The key under which a feed remembers that a canonical URL stands for several of its articles."""
    return fingerprint("shared", link)


def _told_apart_by(members: Sequence[Entry]) -> str:
    for kind in (FRAGMENT, GUID, TITLE):
        contents_of: dict[str, set[str]] = {}
        for member in members:
            contents_of.setdefault(_told(kind, member), set()).add(member.content_hash)
        if "" not in contents_of and all(len(contents) == 1 for contents in contents_of.values()):
            return kind
    return CONTENT


def _told(kind: str, entry: Entry) -> str:
    if kind == FRAGMENT:
        return urlsplit(entry.url).fragment
    if kind == GUID:
        return entry.guid if link_key(entry.guid) != link_key(entry.url) else ""
    return " ".join(entry.title.casefold().split()) if kind == TITLE else entry.content_hash


def with_parts(entries: Sequence[Entry], known: Mapping[str, str] | None = None) -> list[Entry]:
    """The entries with their `part` (what tells them apart from others at the same canonical URL) and `own_text` (the
    page behind the link is no article of this entry alone, so that its text is what the feed has of it).

    Args:
        known: as in `shared_links`.
    """
    shared = shared_links(entries, known)
    if not shared:
        return list(entries)
    links = [link_key(entry.url) if entry.url else "" for entry in entries]
    counts = Counter(links)
    parted = []
    for entry, link in zip(entries, links, strict=True):
        kind = shared.get(link)
        if kind is None:
            parted.append(entry)
            continue
        is_list = counts[link] >= _FEWEST_OF_A_LIST or 2 * counts[link] >= len(entries) or kind == FRAGMENT
        part = f"#{_told(kind, entry)}" if kind == FRAGMENT else f"{kind}:{_told(kind, entry)}"
        parted.append(replace(entry, part=part, own_text=is_list and bool(entry.content or entry.summary)))
    return parted


def identities_of(entries: Sequence[Entry]) -> list[Identity]:
    """The identity of each entry of one document, their parts (`with_parts`) given."""
    by_link = ("#", f"{TITLE}:")
    return identities(
        [(entry.guid, entry.url, entry.content_hash) for entry in entries],
        [entry.part if entry.part.startswith(by_link) else "" for entry in entries],
    )


def identities(entries: Sequence[tuple[str, str, str]], parts: Sequence[str] = ()) -> list[Identity]:
    """The identity of each (guid, link, content hash) of one document; guid and link may be empty.

    Args:
        parts: for each entry, what is to be told apart behind its link.
    """
    links_of: dict[str, set[str]] = {}
    guids_of: dict[str, set[str]] = {}
    contents_of: dict[tuple[str, str], set[str]] = {}
    comparable = [
        (link_key(guid), link_key(link) + part, content)
        for (guid, link, content), part in zip(entries, parts or [""] * len(entries), strict=True)
    ]
    for guid, link, content in comparable:
        links_of.setdefault(guid, set()).add(link)
        guids_of.setdefault(link, set()).add(guid)
        contents_of.setdefault((guid, link), set()).add(content)
    found = []
    told = parts or [""] * len(entries)
    for (guid, link, content), (guid_as_given, link_as_given, _), part in zip(comparable, entries, told, strict=True):
        by_content = fingerprint("content", guid, link, content)
        if not (guid or link) or len(contents_of[guid, link]) > 1:
            found.append(Identity(f"content:{by_content}", (by_content,)))
            continue
        pair = fingerprint("pair", guid, link)
        by_guid = (fingerprint("address", guid),) if guid and len(links_of[guid]) == 1 else ()
        by_link = (fingerprint("address", link),) if link and len(guids_of[link]) == 1 else ()
        if by_guid:
            name = f"guid:{guid_as_given}"
        elif by_link:
            name = f"link:{link_as_given}" + ("" if part.startswith("#") else part)  # a fragment is in the link already
        else:
            name = f"pair:{pair}"
        found.append(Identity(name, tuple(dict.fromkeys((pair, *by_guid, *by_link)))))
    return found


def new_and_updated(entries: Sequence[Entry], known: Mapping[str, str]) -> Changes:
    """Compares all entries of one document with what is known of its feed (key to content hash).

    An entry is new if none of its keys is known, and updated if its content is none that it is known with. Order,
    dates and what has left the document mean nothing.
    """
    new: list[Entry] = []
    updated: list[Entry] = []
    shared = {sharing_key(link): fingerprint(kind) for link, kind in shared_links(entries, known).items()}
    remember: dict[str, str] = {key: kind for key, kind in shared.items() if known.get(key) != kind}
    present: list[str] = list(shared)
    parted = with_parts(entries, known)
    for entry, identity in zip(parted, identities_of(parted), strict=True):
        hashes = {known[key] for key in identity.keys if key in known}
        again = any(key in remember for key in identity.keys)
        if not hashes and not again:
            new.append(entry)
        elif hashes and entry.content_hash not in hashes and not again:
            updated.append(entry)
        present.extend(identity.keys)
        for key in identity.keys:
            if not again and known.get(key) != entry.content_hash:
                remember[key] = entry.content_hash
    return Changes(tuple(new), tuple(updated), remember, tuple(dict.fromkeys(present)))
