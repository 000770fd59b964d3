"""What a site's robots.txt allows (RFC 9309), read by protego.

How the file was come by decides as much as what it says: a site whose file is not there may be crawled, a site whose
file cannot be reached may not (sections 2.3.1.2 to 2.3.1.4).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

_AGENT_VERSION = re.compile(r"^([ \t]*user-?agent[ \t]*:[ \t]*[a-z_-]+)/[^\s#]*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class RobotsFetch:
    """How the request for a robots.txt ended.

    Attributes:
        status: of the last response; 0 if there was none (a timeout, no connection, no address).
        body: as far as it was read.
        redirects_exceeded: more redirects than are followed.
    """

    status: int
    body: bytes = b""
    redirects_exceeded: bool = False


class Robots:
    """The rules of one origin.

    Attributes:
        reachable: False where the file could not be had and the site must be left alone for now.
    """

    def __init__(self, reachable: bool, rules: Protego | None) -> None:
        self.reachable = reachable
        self._rules = rules

    def allows(self, url: str, agent: str) -> bool:
        """Whether `agent` (a product token: `newsbeam`) may fetch `url`."""
        if not self.reachable:
            return False
        if self._rules is None or urlsplit(url).path == "/robots.txt":
            return True  # RFC 9309 2.2.2: the file itself is always allowed
        return bool(self._rules.can_fetch(url, agent))

    def crawl_delay_s(self, agent: str) -> float:
        """Seconds between two requests that the site asks for; 0 if it does not."""
        delay = self._rules.crawl_delay(agent) if self._rules is not None else None
        return max(0.0, float(delay)) if delay is not None else 0.0


def origin_of(url: str) -> str:
    """Scheme and authority: what a robots.txt holds for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def robots_url(url: str) -> str:
    """Where the robots.txt of `url` lies."""
    return origin_of(url) + "/robots.txt"


def read_robots(body: bytes, limit: int) -> Protego:
    """Parses the first `limit` bytes of a robots.txt. Anything can be read: what is no rule is none.

    A line that the limit cuts is left out: half a path would forbid or allow more than it says.
    """
    if len(body) > limit:
        body = body[:limit]
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r"), 0)]
    text = body.decode("utf-8-sig", errors="replace")
    # RFC 9309 2.2.1 has a token alone; Google's parser, which sites write for, ignores a version behind it.
    return Protego.parse(_AGENT_VERSION.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n")))


def decide(fetch: RobotsFetch, limit: int) -> Robots:
    """The rules that follow from how the request for a robots.txt ended.

    2xx: as it says. Any 4xx but 429, and too many redirects: there is none, all is allowed (401 and 403 too, as the
    RFC has it). 429, 5xx and no answer at all: unreachable, nothing is allowed until it is there again.
    """
    if fetch.redirects_exceeded:
        return Robots(True, None)
    if 200 <= fetch.status < 300:
        return Robots(True, read_robots(fetch.body, limit))
    if 400 <= fetch.status < 500 and fetch.status != 429:
        return Robots(True, None)
    if 300 <= fetch.status < 400:
        return Robots(True, None)  # a redirect that leads nowhere
    return Robots(False, None)
