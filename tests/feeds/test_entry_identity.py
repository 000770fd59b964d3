"""Which entry is which, from poll to poll."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.feeds.document import FeedDocument
from newsbeam.transforms.feeds.identity import identities, identities_of, new_and_updated, with_parts
from newsbeam.transforms.feeds.parse import parse_feed
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article, Entry, Origin

SITE = "https://gazette.example.org/"


def entry(guid: str = "", link: str = "", title: str = "Crane reopens") -> Entry:
    return Entry(feed_url=SITE, url=link, identity="", guid=guid, title=title, content_hash=title)


def polls(*documents: list[Entry]) -> list[tuple[list[str], list[str]]]:
    """Titles of what was new, and of what was updated, at each poll."""
    known: dict[str, str] = {}
    found = []
    for document in documents:
        changes = new_and_updated(document, known)
        known.update(changes.remember)
        found.append(([entry.title for entry in changes.new], [entry.title for entry in changes.updated]))
    return found


A, B = entry("a", SITE + "1", "A"), entry("b", SITE + "2", "B")


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        ([A, B], ([], [])),
        ([B, A], ([], [])),
        ([], ([], [])),
        ([A], ([], [])),
        ([replace(A, published_at="2025-09-02T10:00:00Z"), B], ([], [])),
        ([replace(A, guid="moved-to-another-system"), B], ([], [])),
        ([replace(A, url=SITE + "1?utm_source=rss"), B], ([], [])),
        ([replace(A, url="http://gazette.example.org/1", guid=""), B], ([], [])),
        ([replace(A, title="A+", content_hash="A+"), B], ([], ["A+"])),
        ([replace(A, title="A+", content_hash="A+", guid="x"), B], ([], ["A+"])),
        ([A, B, entry("c", SITE + "3", "C")], (["C"], [])),
        ([A, A, B], ([], [])),
    ],
)
def test_only_news_is_new(second: list[Entry], outcome: tuple[list[str], list[str]]) -> None:
    assert polls([A, B], second) == [(["A", "B"], []), outcome]


def test_an_entry_that_left_and_came_back_is_not_new() -> None:
    assert polls([A, B], [B], [A, B])[2] == ([], [])


def test_an_edit_is_an_update_once() -> None:
    edited = replace(A, title="A+", content_hash="A+")
    assert polls([A], [edited], [edited]) == [(["A"], []), ([], ["A+"]), ([], [])]


def test_a_guid_that_stands_for_two_links_is_not_believed() -> None:
    document = [entry("post", SITE + "1", "A"), entry("post", SITE + "2", "B")]
    assert polls(document, [*document, entry("post", SITE + "3", "C")]) == [(["A", "B"], []), (["C"], [])]


def test_a_link_that_stands_for_two_guids_is_not_believed() -> None:
    document = [entry("1", SITE, "A"), entry("2", SITE, "B")]
    assert polls(document, [*document, entry("3", SITE, "C")]) == [(["A", "B"], []), (["C"], [])]


def test_a_guid_and_link_that_stand_for_several_contents_are_not_believed() -> None:
    document = [entry("home", SITE, "A"), entry("home", SITE, "B")]
    assert polls(document, [*document, entry("home", SITE, "C")]) == [(["A", "B"], []), (["C"], [])]


def test_entries_without_guid_and_link_are_told_apart_by_content() -> None:
    document = [entry(title="A"), entry(title="B")]
    assert polls(document, [*document, entry(title="C")]) == [(["A", "B"], []), (["C"], [])]


def test_entries_that_all_link_to_the_home_page_are_told_apart_by_content() -> None:
    document = [entry(link=SITE, title="A"), entry(link=SITE, title="B")]
    assert polls(document, [*document, entry(link=SITE, title="C")]) == [(["A", "B"], []), (["C"], [])]


def test_keys_of_what_is_present_are_given_so_that_others_can_be_forgotten() -> None:
    first = new_and_updated([A, B], {})
    second = new_and_updated([A], first.remember)
    assert set(second.present) < set(first.present) == set(first.remember)
    assert second.remember == {}


GUIDS = st.sampled_from(["", "g1", "g2", "https://gazette.example.org/1"])
LINKS = st.sampled_from(["", SITE + "1", SITE + "2", SITE + "2?utm_source=x", SITE])
DOCUMENTS = st.lists(st.builds(entry, GUIDS, LINKS, st.sampled_from("ABCD")), max_size=8)


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_same_document_again_in_any_order_brings_nothing(document: list[Entry], random: object) -> None:
    shuffled = list(document)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    known = new_and_updated(document, {}).remember
    again = new_and_updated(shuffled, known)
    assert again.new == ()


@given(DOCUMENTS)
def test_no_two_entries_of_different_guid_link_and_content_are_one(document: list[Entry]) -> None:
    given_entries = [(item.guid, item.url, item.content_hash) for item in document]
    names = [identity.name for identity in identities(given_entries)]
    for one, name in zip(given_entries, names, strict=True):
        for other, other_name in zip(given_entries, names, strict=True):
            if name == other_name:
                assert one == other or one[0] == other[0] or one[1].partition("?")[0] == other[1].partition("?")[0]


def test_an_entry_listed_twice_is_read_once() -> None:
    item = "<item><title>A</title><link>https://gazette.example.org/1</link></item>"
    body = f"<rss><channel>{item}{item}</channel></rss>".encode()
    assert len(parse_feed(FeedDocument(SITE, body)).entries) == 1


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("10:00", "11:00"), True),
        (("utm_source=a", "utm_source=b"), True),
        (("<p>", "<div class='x'>"), True),
        (("ad.gif?1", "ad.gif?2"), True),
        (("quay four", "quay five"), False),
        (("Crane", "The crane"), False),
    ],
)
def test_the_content_hash_changes_when_what_a_reader_sees_changes(change: tuple[str, str], same: bool) -> None:
    text = (
        "<rss><channel><item><title>Crane</title><link>https://gazette.example.org/1?utm_source=a</link>"
        "<pubDate>Mon, 01 Sep 2025 10:00:00 GMT</pubDate><description><![CDATA[<p>At quay four.<img src='ad.gif?1'>]]>"
        "</description></item></channel></rss>"
    )
    hashes = {
        parse_feed(FeedDocument(SITE, body.encode())).entries[0].content_hash for body in (text, text.replace(*change))
    }
    assert (len(hashes) == 1) is same


def articles(*entries: Entry) -> list[Entry]:
    return with_parts([replace(one, content_hash=one.title, summary=f"About {one.title}.") for one in entries])


@pytest.mark.parametrize(
    ("entries", "parts"),
    [
        (
            [entry("", f"{SITE}page#{name}", name) for name in ("one", "two")],
            ["#one", "#two"],
        ),
        (
            [entry("", f"{SITE}#/route/{name}", name) for name in ("one", "two")],
            ["#/route/one", "#/route/two"],
        ),
        (
            [entry(f"ADV-{number}", f"{SITE}advisories", f"Advisory {number}") for number in (1, 2, 3)],
            ["guid:ADV-1", "guid:ADV-2", "guid:ADV-3"],
        ),
        (
            [entry("", f"{SITE}page", title) for title in ("First", "Second")],
            ["title:first", "title:second"],
        ),
        ([entry("a", f"{SITE}1", "A"), entry("b", f"{SITE}2", "B")], ["", ""]),
    ],
    ids=["fragments", "routes", "guids", "titles", "links of their own"],
)
def test_articles_that_share_a_link_are_told_apart(entries: list[Entry], parts: list[str]) -> None:
    parted = articles(*entries)
    assert [one.part for one in parted] == parts
    assert len({name.name for name in identities_of(parted)}) == len(entries)
    ids = {
        identify(Article(url=one.url, guid=one.guid, title=one.title, text=one.title, origin=Origin(part=one.part))).id
        for one in parted
    }
    assert len(ids) == len(entries)


def test_the_page_behind_a_shared_link_is_not_taken_for_each_article() -> None:
    shared = articles(*(entry(f"ADV-{number}", f"{SITE}advisories", f"Advisory {number}") for number in (1, 2, 3)))
    assert all(one.own_text for one in shared)
    assert not any(one.own_text for one in articles(A, B))


def test_a_link_that_was_shared_once_stays_shared() -> None:
    first = [entry(f"ADV-{number}", f"{SITE}advisories", f"Advisory {number}") for number in (1, 2)]
    known = dict(new_and_updated(first, {}).remember)
    later = entry("ADV-3", f"{SITE}advisories", "Advisory 3")
    (new,) = new_and_updated([later], known).new
    assert new.part == "guid:ADV-3"
