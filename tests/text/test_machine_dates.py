"""Dates of feeds: what is given is kept, what is not given is not invented."""

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.model.records import Page
from newsbeam.transforms.sources.files.rows import article_from_row
from newsbeam.transforms.text.dates import read_dates
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import doubt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 01 Sep 2025 10:00:30 GMT", "2025-09-01T10:00:30Z"),
        ("Mon, 1 Sep 2025 10:00 +0200", "2025-09-01T08:00Z"),
        ("01 Sep 2025 10:00:00 EDT", "2025-09-01T14:00:00Z"),
        ("Mon, 01 Sep 2025 10:00:00 -0000", "2025-09-01T10:00:00Z"),
        ("Mon, 01 Sep 2025 10:00:00 +0530 (IST)", "2025-09-01T04:30:00Z"),
        ("Xxx, 01 Sep 2025 10:00:00 GMT", "2025-09-01T10:00:00Z"),
        ("lun., 01 Sep 2025 10:00:00 GMT", "2025-09-01T10:00:00Z"),
        ("Mon, 01 Sep 25 10:00:00 GMT", "2025-09-01T10:00:00Z"),
        ("Mon, 01 Sep 99 10:00:00 GMT", "1999-09-01T10:00:00Z"),
        ("01 Sept. 2025 10:00", "2025-09-01T10:00"),
        ("Mon, 01 September 2025, 10:00 pm GMT", "2025-09-01T22:00Z"),
        ("September 1, 2025 10:00 AM", "2025-09-01T10:00"),
        ("Sep 1st 2025", "2025-09-01"),
        ("Mon Sep  1 10:00:00 2025", "2025-09-01T10:00:00"),
        ("Mon Sep  1 10:00:00 UTC 2025", "2025-09-01T10:00:00Z"),
        ("Mon, 01 Sep 2025 24:00:00 GMT", "2025-09-02T00:00:00Z"),
        ("Wed, 31 Dec 2025 23:59:60 GMT", "2026-01-01T00:00:00Z"),
        ("2025-09-01T10:00:00+02:00", "2025-09-01T08:00:00Z"),
        ("2025-09-01T10:00:00.123456Z", "2025-09-01T10:00:00Z"),
        ("2025-09-01 10:00:00", "2025-09-01T10:00:00"),
        ("2025-09-01T10:00Z", "2025-09-01T10:00Z"),
        ("20250901T100000Z", "2025-09-01T10:00:00Z"),
        ("2025-09-01", "2025-09-01"),
        ("2025/09/01 10:00:00 +02:00", "2025-09-01T08:00:00Z"),
        ("01.09.2025, 10:00", "2025-09-01T10:00"),
        ("Mon, 01 Sep 2025 10:00:00 GMT+2", "2025-09-01T08:00:00Z"),
        ("Mon, 01 Sep 2025 10:00:00 UTC+02:00", "2025-09-01T08:00:00Z"),
        ("lun, 01 août 2025 10:00:00 CEST", "2025-08-01T08:00:00Z"),
        ("15 juin 2025", "2025-06-15"),
        ("15 juillet 2025", "2025-07-15"),
        ("1 de diciembre de 2025", "2025-12-01"),
        ("2025-09", "2025-09"),
        ("2025", "2025"),
        ("1756720800", "2025-09-01T10:00:00Z"),
        ("1756720800123", "2025-09-01T10:00:00Z"),
        ("<b>Mon, 01 Sep 2025 10:00:00 GMT</b>", "2025-09-01T10:00:00Z"),
        ("Mon, 01 Sep 2025 10:00:00 QST", "2025-09-01T10:00:00"),
        ("Mon, 01 Sep 2025 10:00:00 IST", "2025-09-01T10:00:00"),
        ("2025-09-01T10:00:00+99:00", "2025-09-01T10:00:00"),
    ],
)
def test_dates_are_read_as_precisely_as_they_are_given(text: str, expected: str) -> None:
    date = machine_date(text)
    assert date is not None
    assert date.iso == expected
    assert date.precision == {4: "year", 7: "month", 10: "day", 16: "minute"}.get(
        len(expected.removesuffix("Z")), "second"
    )


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("12 марта 2024, 15:00 SGT", "2024-03-12T07:00Z"),
        ("Tue, 12 Mar 2024 15:00:00 CST", "2024-03-12T21:00:00Z"),
        ("12 марта 2024", "2024-03-12"),
        ("2024-03-12T24:00:00Z", "2024-03-13T00:00:00Z"),
        ("2024-03-12T15:00:00+15:00", "2024-03-12T15:00:00"),
        ("2024-03-12T15:00:00 CST", "2024-03-12T21:00:00Z"),
    ],
)
def test_pages_feeds_and_rows_read_a_date_alike(text: str, iso: str) -> None:
    """A feed's entry, a page's metadata and a row's `published_at` all ask `machine_date`; a shown line agrees."""
    moment = machine_date(text)
    assert moment is not None
    assert moment.iso == iso
    row = article_from_row(Page(url="", body=json.dumps({"text": "x", "published_at": text}).encode()))
    assert row.published_at == iso
    shown = next(read_dates(f"Published {text}"))
    assert shown.iso[:16] == iso[:16]


@pytest.mark.parametrize(
    ("told", "iso", "precision"),
    [
        ("March 3, 2024", "2024-03-03", "day"),
        ("1710237600", "2024-03-12T10:00:00Z", "second"),
        (1710237600, "2024-03-12T10:00:00Z", "second"),
        ("2024-03-25T19:08", "2024-03-25T19:08", "minute"),
    ],
)
def test_a_rows_own_date_is_read_as_every_other(told: object, iso: str, precision: str) -> None:
    article = article_from_row(Page(url="", body=json.dumps({"text": "x", "published_at": told}).encode()))
    assert (article.published_at, article.published_precision) == (iso, precision)


def test_a_rows_date_that_nobody_can_read_is_told() -> None:
    article = article_from_row(Page(url="", body=json.dumps({"text": "x", "published_at": "soon"}).encode()))
    assert article.published_at is None
    assert article.warnings == ("published_at:unreadable",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday-ish",
        "Sun, 30 Feb 2025 10:00:00 GMT",
        "2025-13-01",
        "2025-09-01T25:00:00Z",
        "9" * 60,
        "01 Foo 2025 10:00:00 GMT",
        "0000-01-01",
        "9999-99-99",
        "٢٠٢٥-٠٩-٠١T99:99",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert machine_date(text) is None


@given(st.text(max_size=120) | st.text("0123456789-+:TZ GMTSepMon,./", max_size=60))
def test_no_text_raises(text: str) -> None:
    date = machine_date(text)
    if date is not None:
        doubt(date, "2025-09-02T08:00:00Z")


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1971, 1, 1), datetime(2049, 12, 30), timezones=ZONES))
def test_what_programs_write_is_read_back(moment: datetime) -> None:
    expected = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for text in (format_datetime(moment), moment.isoformat()):
        date = machine_date(text)
        assert date is not None
        assert (date.iso, date.precision) == (expected, "second")


@pytest.mark.parametrize(
    ("date", "wrong"),
    [
        ("2035-08-30T10:00:00Z", "more than a day after"),
        ("2025-09-03T08:00:01Z", "more than a day after"),
        ("2025-09-03T07:00:00Z", ""),
        ("1970-01-01T00:00:00Z", "before there was a web"),
        ("1996-12-19", ""),
    ],
)
def test_dates_that_cannot_be_true_are_not_believed(date: str, wrong: str) -> None:
    parsed = machine_date(date)
    assert parsed is not None
    verdict = doubt(parsed, "2025-09-02T08:00:00Z")
    assert wrong in verdict
    assert bool(wrong) == bool(verdict)


def test_without_a_time_of_fetching_no_date_is_in_the_future() -> None:
    parsed = machine_date("2035-08-30T10:00:00Z")
    assert parsed is not None
    assert doubt(parsed, "") == ""
