"""Which number a content has among the revisions of its article, whichever run met it.

A run numbers what it meets: 1 for the first content of an id, 2 for the next. It forgets (a replay knows nothing of the
one before it, a live run remembers for a month), so a number alone does not tell whether a record is known. What keeps
records, or the ledger for those that do not, knows the earlier ones, and asks `place` for each that comes:

- the same content seen at the same time is the same sighting, written again: it keeps its number;
- the same content seen at another time, with no other content in between, is nothing new;
- anything else is a new revision: no content ever takes the number of another.

So a batch that is written again after a crash, or a replay that is repeated, changes no number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, Optional

from newsbeam.transforms.model.identity import seconds
from newsbeam.transforms.model.records import Article


class Version(NamedTuple):
    """One content of an article.

    Attributes:
        revision: its number.
        content: equal for equal content (`content_of`).
        seen: when newsbeam saw it, in seconds since 1970 UTC; None where nobody knows.
    """

    revision: int
    content: str
    seen: Optional[float]


class Standing(Enum):
    """What a record is to those that are known of its id."""

    NEW = "new"
    """A revision of its own."""
    AGAIN = "again"
    """The same sighting of the same content: it takes the place of the record that is there."""
    KNOWN = "known"
    """Another sighting of a content that is there: nothing new."""


@dataclass(frozen=True)
class Placed:
    """Where a record belongs: the number of its content, and what it is to those that are known."""

    revision: int
    standing: Standing


def content_of(content_hash: str, domain: str) -> str:
    """What tells one content of an article from another: what a reader reads, and at which outlet.

    The outlet, because a record may pass from a copy to its original (`duplicates.survivors`).
    """
    return f"{content_hash} {domain}"


def version(
    *, revision: int, content_hash: str, domain: str, first_seen_at: Optional[str], fetched_at: Optional[str]
) -> Version:
    """The version of a record, from its fields."""
    return Version(revision, content_of(content_hash, domain), seconds(first_seen_at or fetched_at))


VERSION_FIELDS = ("revision", "content_hash", "domain", "first_seen_at", "fetched_at")
"""The fields of a record that `version` needs."""


def version_of(article: Article) -> Version:
    """The version of an article, as the run numbered it."""
    return version(**{name: getattr(article, name) for name in VERSION_FIELDS})


def version_of_row(row: Mapping[str, object]) -> Version:
    """The version of a record in its published form. A field of an unexpected type counts as not known."""
    revision = row.get("revision")
    texts = {name: value if isinstance(value := row.get(name), str) else None for name in VERSION_FIELDS[1:]}
    return version(
        revision=revision if isinstance(revision, int) else 1,
        content_hash=texts["content_hash"] or "",
        domain=texts["domain"] or "",
        first_seen_at=texts["first_seen_at"],
        fetched_at=texts["fetched_at"],
    )


def in_order_of_revision(records: Iterable[object]) -> list[Article]:
    """The articles among records, those of one id in the order in which a run numbered and saw them."""

    def order(article: Article) -> tuple[str, int, float]:
        own = version_of(article)
        return article.id, own.revision, float("-inf") if own.seen is None else own.seen

    return sorted((record for record in records if isinstance(record, Article)), key=order)


def place(known: Sequence[Version], new: Version) -> Placed:
    """Finds the place of `new` among the known versions of its id, which have different numbers.

    Where a time is not known, the number that the run gave decides whether a content that has been there before has
    come back (1: a, 2: b, 3: a) or is only written again.
    """
    if not known:
        return Placed(new.revision, Standing.NEW)
    equal = {one.revision: one for one in known if one.content == new.content}
    if new.seen is not None:
        for one in equal.values():
            if one.seen == new.seen:
                return Placed(one.revision, Standing.AGAIN)
    if equal and new.seen is not None and all(one.seen is not None for one in known):
        before = [one for one in known if one.seen <= new.seen]  # type: ignore[operator]  # all have a time
        nearest = newest(before) if before else min(known, key=lambda one: (one.seen, one.revision))
        if nearest.revision in equal:
            return Placed(nearest.revision, Standing.KNOWN)
    elif equal and (new.revision <= newest_number(known) or newest(known).revision in equal):
        same = equal.get(new.revision) or equal[max(equal)]
        is_same_sighting = same.seen is None and new.seen is None
        return Placed(same.revision, Standing.AGAIN if is_same_sighting else Standing.KNOWN)
    return Placed(_free_number(known, new), Standing.NEW)


def _free_number(known: Sequence[Version], new: Version) -> int:
    """The number the run gave, if it is free and does not contradict the times; else the next one."""
    following = newest_number(known) + 1
    if new.revision >= following or any(one.revision == new.revision for one in known):
        return max(new.revision, following)
    in_order = all(
        one.seen is None or new.seen is None or (one.seen <= new.seen) == (one.revision < new.revision)
        for one in known
        if one.seen != new.seen
    )
    return new.revision if in_order else following


def newest_number(known: Sequence[Version]) -> int:
    """The highest number."""
    return max(one.revision for one in known)


def newest(known: Sequence[Version]) -> Version:
    """The version that stands for the article: the last that was seen, and of those with one time the last by number.

    One whose time nobody knows counts as seen right after the one that its number follows. An older page that is
    replayed later is a later number, but no newer text.
    """
    latest: Optional[float] = None
    best: Optional[tuple[float, Version]] = None
    for one in sorted(known):
        latest = one.seen if one.seen is not None else latest
        moment = float("-inf") if latest is None else latest
        if best is None or moment >= best[0]:
            best = moment, one
    if best is None:
        raise ValueError("no version is known")
    return best[1]


def renumbered(article: Article, revision: int) -> Article:
    """The article as the revision it is."""
    kind, of = standing_fields(article.id, article.duplicate_kind, article.duplicate_of, revision)
    if (article.revision, article.duplicate_kind, article.duplicate_of) == (revision, kind, of):
        return article
    return replace(article, revision=revision, duplicate_kind=kind, duplicate_of=of)


def standing_fields(
    article_id: str, kind: str, duplicate_of: Optional[str], revision: int
) -> tuple[str, Optional[str]]:
    """`duplicate_kind` and `duplicate_of` that go with a number: only what is not the first is a revision of itself."""
    if revision > 1 and kind == "unique":
        return "revision", article_id
    if revision == 1 and kind == "revision" and duplicate_of == article_id:
        return "unique", None
    return kind, duplicate_of
