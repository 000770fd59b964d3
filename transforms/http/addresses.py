"""Which addresses and URLs may be asked: what feeds and pages name must never reach a private network (SSRF).

An address is checked where it counts, on the socket just before it connects, so that neither a name that resolves to
something else the second time nor a redirect gets past it. Names are also refused before anything is resolved where no
public host can have them.

Source of the lists: IANA's special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates), and the
metadata addresses of cloud providers. `ipaddress.is_global` alone lets through translated and tunnelled addresses that
carry a private one inside.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union
from urllib.parse import unquote, urlsplit

from newsbeam.transforms.model.errors import Rejected

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_BLOCKED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers; Alibaba's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's wire server
        "169.254.0.0/16",  # link-local; metadata of AWS, Google, Azure
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")  # all that IANA has ever given out to hosts
_BLOCKED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # IETF assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the well-known prefix of RFC 6052: what DNS64 answers
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")

# Names that no public host has: RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's `.internal`.
_PRIVATE_SUFFIXES = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "corp",
    "home",
    "alt",
    "onion",
)
_PRIVATE_NAMES = ("ip6-localhost", "ip6-loopback", "broadcasthost", "metadata", "instance-data")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_MAX_URL = 8192


@dataclass(frozen=True)
class AddressRules:
    """What may be reached beyond the public Internet: nothing, unless a user says so.

    Attributes:
        allow: networks that may be connected to although they are not public (a test allows `127.0.0.0/8`).
        hosts: pairs of a name and its address. A name that begins with a dot stands for all names that end so. They
            are answered from here, without DNS.
    """

    allow: Sequence[str] = ()
    hosts: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        for network in self.allow:
            ipaddress.ip_network(network)
        for _, address in self.hosts:
            ipaddress.ip_address(address)

    def permits(self, address: str) -> bool:
        """Whether a socket may connect to `address` (an IP address as text)."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if "%" not in address and is_public(parsed):
            return True
        inner = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return any((inner or parsed) in ipaddress.ip_network(network) for network in self.allow)

    def answer(self, host: str) -> str | None:
        """The address that the rules themselves give for `host`, or None."""
        for name, address in self.hosts:
            if host == name or (name.startswith(".") and host.endswith(name)):
                return address
        return None


def is_public(address: Address) -> bool:
    """Whether `address` is one of a host on the public Internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _BLOCKED_V4)
    if address in _MAPPED or address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST_V6 and not any(address in network for network in _BLOCKED_V6)


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    if len(part) > 1 and part.startswith("0"):
        return int(part, 8)
    return int(part)


def ipv4_of(host: str) -> ipaddress.IPv4Address | None:
    """The IPv4 address that `host` means to a browser or a C library: `127.1`, `0x7f000001`, `017700000001`.

    None if it is a name. The rules are those of the WHATWG URL standard, section 3.5.

    Raises:
        Rejected: it ends in a number and is no address.
    """
    parts = host.rstrip(".").split(".")
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", parts[-1]):
        return None
    try:
        if len(parts) > 4 or any(len(part) > 20 for part in parts):
            raise ValueError
        numbers = [_number(part) for part in parts]
        last_limit = 256 ** (5 - len(numbers))
        if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= last_limit:
            raise ValueError
    except ValueError:
        raise Rejected("blocked_url", f"`{host}` ends in a number but is no IPv4 address") from None
    value = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        value += number * 256 ** (3 - place)
    return ipaddress.IPv4Address(value)


def host_of(url: str) -> str:
    """The host of `url` in lower case, IDNA-encoded, without a final dot and brackets; empty if it has none."""
    try:
        host = unquote(urlsplit(url.strip()).hostname or "")
    except ValueError:
        return ""
    if host.isascii():
        return host.lower().rstrip(".")
    try:
        import idna  # slow to load, and few hosts need it

        return idna.encode(host, uts46=True, transitional=False).decode("ascii").lower().rstrip(".")
    except (idna.IDNAError, UnicodeError):
        return ""


def check_url(url: str, rules: AddressRules) -> str:
    """Refuses a URL that no polite client should follow; answers with the host that it names.

    Raises:
        Rejected: `blocked_url` for another scheme than http and https, no host, or a name that is never public;
            `blocked_address` for an IP address that is not public.
    """
    if len(url) > _MAX_URL:
        raise Rejected("blocked_url", f"the URL has {len(url)} characters, more than {_MAX_URL}")
    if any(ord(letter) <= 0x20 or letter == "\x7f" for letter in url.strip()):
        raise Rejected("blocked_url", f"`{url!r}` has a space or a control character in it")
    try:
        parts = urlsplit(url.strip())
        scheme, _ = parts.scheme, parts.port
    except ValueError as error:
        raise Rejected("blocked_url", f"`{url[:200]}` is no URL: {error}") from None
    if scheme not in ("http", "https"):
        raise Rejected("blocked_url", f"`{url[:200]}`: only http and https are asked")
    host = host_of(url)
    if not host:
        raise Rejected("blocked_url", f"`{url[:200]}` names no host")
    if ":" in host:
        _check_address(host, rules)
        return host
    address = ipv4_of(host)
    if address is not None:
        _check_address(str(address), rules)
        return host
    if rules.answer(host) is not None:
        return host
    if not _HOST.fullmatch(host) or len(host) > 253:
        raise Rejected("blocked_url", f"`{host[:200]}` is no host name")
    if "." not in host or host in _PRIVATE_NAMES or any(host.endswith("." + suffix) for suffix in _PRIVATE_SUFFIXES):
        raise Rejected("blocked_url", f"`{host}` is a name of a private network")
    return host


def _check_address(address: str, rules: AddressRules) -> None:
    if not rules.permits(address):
        raise Rejected("blocked_address", f"{address} is not on the public Internet")
