"""Which entry is which: within one document, and from one poll to the next.

A guid that stands for two links in one document is not believed, nor is a link that stands for two guids (feeds whose
entries all link to the home page), nor are both if they stand for several contents. What is believed, and the pair of
both, are the keys an entry is known by: it is the same entry if any one of them is known, so that a change of guids, or
of links, makes nothing new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from newsbeam.transforms.model.identity import canonical_url
from newsbeam.transforms.model.records import Entry


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


def identities(entries: Sequence[tuple[str, str, str]]) -> list[Identity]:
    """The identity of each (guid, link, content hash) of one document; guid and link may be empty."""
    links_of: dict[str, set[str]] = {}
    guids_of: dict[str, set[str]] = {}
    contents_of: dict[tuple[str, str], set[str]] = {}
    comparable = [(link_key(guid), link_key(link), content) for guid, link, content in entries]
    for guid, link, content in comparable:
        links_of.setdefault(guid, set()).add(link)
        guids_of.setdefault(link, set()).add(guid)
        contents_of.setdefault((guid, link), set()).add(content)
    found = []
    for (guid, link, content), (guid_as_given, link_as_given, _) in zip(comparable, entries, strict=True):
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
            name = f"link:{link_as_given}"
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
    remember: dict[str, str] = {}
    present: list[str] = []
    given = [(entry.guid, entry.url, entry.content_hash) for entry in entries]
    for entry, identity in zip(entries, identities(given), strict=True):
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
