"""Addresses print without what is secret in them, however they are printed."""

import pickle

import pytest

from newsbeam.transforms.model.address import Address


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("sqlite:out/news.db", "sqlite:out/news.db"),
        ("jsonl:out/a@b.jsonl", "jsonl:out/a@b.jsonl"),
        ("postgresql://user:hunter2@host:5432/news?sslmode=require", "postgresql://host:5432/news"),
        ("postgresql://user:hunter2@one:1,two:2/news", "postgresql://one:1,two:2/news"),
        ("postgresql://u@/postgres?host=/tmp/x&password=hunter2", "postgresql:///postgres"),
        ("postgresql://user:hun/ter2@host/news", "postgresql://host/news"),
        ("postgresql://user:hunt@er2@host/news", "postgresql://host/news"),
        ("postgresql://user:hunter2?@host/news", "postgresql://…"),
        ("kafka://broker:9092,b2:9092/topic?sasl.password=hunter2", "kafka://broker:9092,b2:9092/topic"),
        ("webhook+https://user:hunter2@host/hook?token=hunter2", "webhook+https://host/hook"),
        ("https://host/@author/feed", "https://host/@author/feed"),
        ("https://[::1]:8080/feed", "https://[::1]:8080/feed"),
    ],
)
def test_an_address_shows_neither_user_password_nor_parameters(whole: str, shown: str) -> None:
    address = Address(whole)
    assert str(address) == f"{address}" == shown
    assert repr(address) == f"Address({shown!r})"
    assert address.whole == whole
    again = pickle.loads(pickle.dumps(address))  # noqa: S301 - our own
    assert again == address
    assert hash(again) == hash(address)


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        ("postgresql://u:hunter2@host/db", "no password hunter2 for u"),
        ("postgresql://u:hun%2Fter2@host/db", "no password hun/ter2"),
        ("postgresql://u:hun@ter2@host/db", 'could not translate host name "ter2@host"'),
        ("postgresql://u:hun/ter2@host/db", 'invalid integer value "hun" for connection option "port"'),
        ("postgresql://host/db?password=hunter2", "hunter2"),
        ("kafka://b/t?sasl.password=hunter2", "sasl.password=hunter2 is wrong"),
    ],
)
def test_a_message_of_a_library_loses_every_piece_of_the_password(whole: str, message: str) -> None:
    hidden = Address(whole).hide(message)
    assert "hun" not in hidden
    assert "ter2" not in hidden
    assert "***" in hidden


def test_user_and_password_of_a_feed_become_a_header_and_no_part_of_its_name() -> None:
    address = Address("https://ann:p%40ss@host.example/feed?format=rss#top")
    assert address.without_credentials == "https://host.example/feed?format=rss#top"
    assert address.authorization == "Basic YW5uOnBAc3M="
    assert Address("https://host.example/feed?a=b@c").without_credentials == "https://host.example/feed?a=b@c"
    assert Address("https://host.example/feed").authorization == ""
