"""Addresses that may hold credentials. Printing one never shows the credentials."""

import base64
import re
from collections.abc import Callable
from typing import Any, Union
from urllib.parse import parse_qsl, unquote, urlsplit

_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|sig|auth|credential|jaas", re.IGNORECASE)
"""Query parameters whose value is never shown: `password`, `sslpassword`, `sasl.password`, `api_key`, `token`, ..."""
_PORTS = re.compile(r"(?:\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::\d*)?\Z")
_WEB = ("http", "https", "webhook+http", "webhook+https")


class Address:
    """Where records go or come from, as a user wrote it: `postgresql://user:password@host/database`.

    `str`, `repr`, formats and logs give `shown`, which has neither user, password nor parameters. Only `whole` gives
    what was written, for the client that connects.

    Args:
        whole: as written.
    """

    __slots__ = ("_whole",)

    def __init__(self, whole: str) -> None:
        self._whole = whole

    @classmethod
    def of(cls, written: Union[str, "Address"]) -> "Address":
        """An address from text, or as it is."""
        return written if isinstance(written, Address) else cls(written)

    @property
    def whole(self) -> str:
        """As it was written, with its credentials: for clients, and for nothing that anybody reads."""
        return self._whole

    @property
    def scheme(self) -> str:
        """The text before the first colon in lower case; empty if there is no colon."""
        scheme, colon, _ = self._whole.partition(":")
        return scheme.lower() if colon else ""

    @property
    def shown(self) -> str:
        """The address for people, logs and records: scheme, host and path. The path of a local file is shown
        unchanged."""
        scheme, separator, rest = self._whole.partition("://")
        if not separator:
            return self._whole
        location = re.split(r"[?#]", rest, maxsplit=1)[0]
        if scheme.lower() in _WEB:
            authority, slash, path = location.partition("/")
        else:  # a password may hold a slash that should have been %2F: the last @ ends it
            before, at, after = location.rpartition("@")
            host_and_port, slash, path = after.partition("/")
            authority = before + at + host_and_port
        host = authority.rpartition("@")[2]
        if not all(_PORTS.match(part) for part in host.split(",")):
            return f"{scheme}://…"  # a piece of a password that holds ? or @ passes for a host
        return f"{scheme}{separator}{host}{slash}{path}"

    @property
    def without_credentials(self) -> str:
        """The address with its parameters, but without user and password (RFC 3986, section 3.2.1)."""
        scheme, separator, rest = self._whole.partition("://")
        if not separator:
            return self._whole
        end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
        return scheme + separator + rest[:end].rpartition("@")[2] + rest[end:]

    @property
    def authorization(self) -> str:
        """The value of the header `Authorization` (RFC 7617) that user and password make; empty if there are none."""
        try:
            parts = urlsplit(self._whole)
        except ValueError:
            return ""
        if parts.username is None and parts.password is None:
            return ""
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def hide(self, text: str) -> str:
        """`text` (a server's or a library's message) with every secret of this address replaced by `***`."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> set[str]:
        _, separator, rest = self._whole.partition("://")
        if not separator:
            return set()
        password = rest.rpartition("@")[0].partition(":")[2]
        # where it was not encoded as it should be, libraries print the pieces that they took for host or port
        pieces = {password, *re.split(r"[@/?#:]", password)} if password else set()
        parameters = re.split(r"[?#]", rest, maxsplit=1)[1:]
        for name, value in parse_qsl(parameters[0]) if parameters else ():
            if _SECRET_NAME.search(name):
                pieces.add(value)
        return {form for piece in pieces for form in (piece, unquote(piece)) if form}

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    def __format__(self, form: str) -> str:
        return format(self.shown, form)

    def __eq__(self, other: object) -> bool:
        return self._whole == other._whole if isinstance(other, Address) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._whole)

    def __reduce__(self) -> tuple[Callable[[str], "Address"], tuple[str]]:
        return Address, (self._whole,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Lets a typed configuration hold addresses: any text is one."""
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            lambda value: cls(value) if isinstance(value, str) else value, core_schema.is_instance_schema(cls)
        )
