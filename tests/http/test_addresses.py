import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.http.addresses import AddressRules, check_url, host_of, ipv4_of, is_public
from newsbeam.transforms.model.errors import Rejected

RULES = AddressRules()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "2001:db8::1",
        "3fff::1",
        "ff02::1",
        "not an address",
        "",
    ],
)
def test_an_address_of_a_private_network_is_never_permitted(address: str) -> None:
    assert not RULES.permits(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "100.63.255.255", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"]
)
def test_an_address_of_the_public_internet_is_permitted(address: str) -> None:
    assert RULES.permits(address)


@given(st.integers(0, 2**32 - 1))
def test_no_address_is_public_that_python_calls_private(value: int) -> None:
    address = ipaddress.IPv4Address(value)
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_as_public_inside_an_ipv6_address_as_it_is_alone(value: int) -> None:
    inner = ipaddress.IPv4Address(value)
    assert is_public(ipaddress.IPv6Address(f"::ffff:{inner}")) == is_public(inner)
    assert is_public(ipaddress.IPv6Address(f"64:ff9b::{inner}")) == is_public(inner)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "017700000001", "127.0.0.1."])
def test_loopback_is_known_in_every_spelling(host: str) -> None:
    assert str(ipv4_of(host)) == "127.0.0.1"
    with pytest.raises(Rejected) as refused:
        check_url(f"http://{host}:8080/", RULES)
    assert refused.value.reason == "blocked_address"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org:70/",
        "javascript:alert(1)",
        "//example.org/",
        "http://",
        "http://:80/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://db.internal/",
        "http://printer.local/",
        "http://router/",
        "http://a b.example.org/",
        "http://example.org/a\nb",
        "http://example.org:99999/",
        "http://[::1/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://example..org/",
        "http://example.org/" + "a" * 10_000,
    ],
)
def test_a_url_that_no_newspaper_has_is_refused(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_url(url, RULES)
    assert refused.value.reason == "blocked_url"


def test_what_stands_before_the_at_sign_is_not_the_host() -> None:
    with pytest.raises(Rejected):
        check_url("http://example.org@127.0.0.1/", RULES)


def test_full_width_dots_do_not_hide_an_address() -> None:
    with pytest.raises(Rejected) as refused:
        check_url("http://127。0。0。1/", RULES)
    assert refused.value.reason == "blocked_address"


def test_a_name_in_another_script_is_asked_by_its_ascii_form() -> None:
    assert check_url("https://bücher.example/a", RULES) == "xn--bcher-kva.example"


def test_a_user_may_allow_loopback_and_nothing_else_with_it() -> None:
    rules = AddressRules(allow=("127.0.0.0/8",))
    assert rules.permits("127.0.0.1")
    assert rules.permits("::ffff:127.0.0.1")
    assert not rules.permits("10.0.0.1")
    assert not rules.permits("::1")


def test_names_of_a_user_s_own_are_answered_without_dns() -> None:
    rules = AddressRules(allow=("127.0.0.0/8",), hosts=((".newsroom.test", "127.0.0.1"),))
    assert rules.answer("gazette.newsroom.test") == "127.0.0.1"
    assert rules.answer("newsroom.example") is None
    assert check_url("http://gazette.newsroom.test:8000/", rules) == "gazette.newsroom.test"


def test_an_allowed_network_that_is_none_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        AddressRules(allow=("nonsense",))


@given(st.text(max_size=60))
def test_no_url_breaks_the_check(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://example.org/{text}"):
        host_of(url)
        with suppress(Rejected):
            check_url(url, RULES)
