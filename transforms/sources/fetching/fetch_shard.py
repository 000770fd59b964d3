"""The pages of one shard that are to be fetched: in turn by host, tried again when it may help, each with one end.

Beam-free; the clock is an argument. What waits is bounded by the caller, who keeps the rest in state.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from newsbeam.transforms.feeds.text import as_markup
from newsbeam.transforms.http.addresses import host_of
from newsbeam.transforms.http.client import Client, Response
from newsbeam.transforms.http.failures import FetchFailed
from newsbeam.transforms.http.freshness import retry_after
from newsbeam.transforms.http.policy import FetchPolicy, SchedulePolicy
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter, Origin, Page
from newsbeam.transforms.sources.feed_source import FeedSource, is_queue
from newsbeam.transforms.sources.polling.feed_shard import Discovery, utc
from newsbeam.transforms.sources.polling.schedule import fraction

STAGE = "fetch"
PAGE_TYPES = ("", "text/html", "application/xhtml+xml", "text/plain", "application/xml", "text/xml")
_FINAL = (400, 401, 402, 403, 405, 406, 410, 414, 451)
"""Asking again will not help; a 404 may be a page that is not everywhere yet."""
_PER_HOST_STARTED = 6
"""Requests of one host that may be under way or queue in the client; two run at once, the rest fill a tick."""
_LOST_S = 900.0
_REUSE_S = 900.0
_REUSE_BYTES = 8 << 20


@dataclass(frozen=True)
class Fetched:
    """How one request for a page ended: a response, or a failure.

    Attributes:
        hold_s: leave the host alone for so long.
        lasting: asking again will not help.
    """

    unit: str
    response: Response | None = None
    reason: str = ""
    message: str = ""
    lasting: bool = False
    hold_s: float = 0.0


async def fetch_page(client: Client, discovery: Discovery, agent: str, now: float, schedule: SchedulePolicy) -> Fetched:
    """Asks for the page of an entry; whatever happens becomes a `Fetched`."""
    unit = discovery.unit
    try:
        response = await client.get_page(discovery.entry.url, agent)
    except FetchFailed as error:
        lasting = error.lasting or error.reason == "robots_disallowed"
        return Fetched(unit, None, error.reason, error.message, lasting)
    try:
        check_page(response)
    except Rejected as error:
        asked = retry_after(response.headers, now) if response.status in (429, 503) else None
        hold = (
            min(asked or schedule.throttled_s, schedule.retry_after_cap_s) if response.status == 429 else asked or 0.0
        )
        lasting = response.status in _FINAL or 200 <= response.status < 300
        return Fetched(unit, None, error.reason, error.message, lasting, min(hold, schedule.retry_after_cap_s))
    return Fetched(unit, response)


def check_page(response: Response) -> None:
    """Refuses what is no page.

    Raises:
        Rejected: `http_NNN` for another status than 200 and 203; `not_a_page` for a media type that no article has;
            `empty`.
    """
    if response.status not in (200, 203):
        raise Rejected(f"http_{response.status}", f"{response.url} answered {response.status}")
    kind = media_type(response)
    if kind not in PAGE_TYPES:
        raise Rejected("not_a_page", f"{response.url} is `{kind[:100]}`, not a page")
    if not response.body.strip():
        raise Rejected("empty", f"{response.url} answered {response.status} with nothing in it")


def media_type(response: Response) -> str:
    """Of a response, lower case, without parameters; empty if it has none."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def charset_of(response: Response) -> str:
    """The charset that a response's `Content-Type` claims; empty if it does not."""
    for parameter in response.headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'").lower()[:40]
    return ""


def origin_of(discovery: Discovery, source: FeedSource | None = None) -> Origin:
    """Where a page comes from, as its feed and the configuration say."""
    entry = discovery.entry
    return Origin(
        unit=discovery.unit,
        seen_at=discovery.seen_at,
        rank=f"{discovery.seen_at}|{entry.content_hash}|{discovery.unit}",
        raw_ref=entry.url,
        discovered_via="queue" if is_queue(entry.feed_url) else "feed",
        feed_url=entry.feed_url,
        publisher=(source.publisher if source else "") or entry.publisher,
        language_hint=(source.language_hint if source else "") or entry.language,
        topic_hints=(*(source.topic_hints if source else ()), *entry.categories),
        part=entry.part,
    )


def page_of(discovery: Discovery, response: Response, fetched_at: str, source: FeedSource | None = None) -> Page:
    """The page that a response is."""
    url = discovery.entry.url
    return Page(
        url=url,
        body=response.body,
        url_final=response.url if response.url != url else "",
        content_type=media_type(response) or "text/html",
        charset=charset_of(response),
        robots=response.headers.get("x-robots-tag", ""),
        fetched_at=fetched_at,
        entry=discovery.entry,
        origin=origin_of(discovery, source),
    )


def page_from_feed(discovery: Discovery, source: FeedSource | None = None) -> Page:
    """The page of an entry whose feed carries all that is to be had of its text: nothing is asked for."""
    entry = discovery.entry
    if not entry.content:
        warning = "summary_only: the text is what the feed has of it"
        entry = replace(entry, warnings=(*entry.warnings, warning))
    return Page(
        url=entry.url,
        body=(entry.content or as_markup(entry.summary or entry.title)).encode("utf-8", "replace"),
        charset="utf-8",
        fetched_at=discovery.seen_at,
        entry=entry,
        origin=replace(origin_of(discovery, source), from_feed=True),
    )


@dataclass
class _Job:
    discovery: Discovery
    attempts: int = 0
    not_before: float = 0.0
    first_failed_at: str | None = None
    started_at: float = 0.0


@dataclass
class Ended:
    """What a tick brought to an end."""

    pages: list[tuple[Discovery, Response, str]] = field(default_factory=list)
    """With when it was fetched."""
    letters: list[DeadLetter] = field(default_factory=list)


class FetchShard:
    """Pages to fetch.

    Args:
        policy: attempts and their distance.
    """

    def __init__(self, policy: FetchPolicy) -> None:
        self._policy = policy
        self._jobs: dict[str, _Job] = {}
        self._hosts: OrderedDict[str, deque[str]] = OrderedDict()
        self._later: dict[str, str] = {}
        self._started: dict[str, str] = {}
        self._held: dict[str, float] = {}
        self._recent: OrderedDict[str, tuple[float, Response]] = OrderedDict()
        self._recent_bytes = 0
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def unfinished(self) -> list[Discovery]:
        """All that has not come to an end, in the order it came."""
        return [job.discovery for job in self._jobs.values()]

    def add(self, discovery: Discovery) -> None:
        """Queues a page; one that is queued already stays where it is."""
        if discovery.unit in self._jobs:
            return
        self._jobs[discovery.unit] = _Job(discovery)
        self._hosts.setdefault(host_of(discovery.entry.url), deque()).append(discovery.unit)

    def end(self, fetched: Fetched, now: float, ended: Ended) -> None:
        """Takes what came back: a page, a dead letter, or another try later."""
        job = self._jobs.get(fetched.unit)
        host = self._started.pop(fetched.unit, None)
        if job is None or host is None:
            return  # given up as lost in between
        if fetched.response is not None:
            self._finish(job, fetched.response, now, ended)
            return
        if fetched.hold_s:
            self._held[host] = max(now + fetched.hold_s, self._held.get(host, 0.0))
        job.attempts += 1
        job.first_failed_at = job.first_failed_at or utc(now)
        if fetched.lasting or job.attempts >= self._policy.attempts:
            del self._jobs[fetched.unit]
            entry = job.discovery.entry
            ended.letters.append(
                DeadLetter(
                    stage=STAGE,
                    reason=fetched.reason,
                    message=fetched.message,
                    unit=fetched.unit,
                    url=entry.url,
                    feed_url=entry.feed_url,
                    attempts=job.attempts,
                    first_failed_at=job.first_failed_at,
                )
            )
            return
        wait = self._policy.retry_first_s * self._policy.retry_factor ** (job.attempts - 1)
        job.not_before = now + wait * (1 + 0.1 * fraction(fetched.unit, job.attempts))
        self._later[fetched.unit] = host

    def _finish(self, job: _Job, response: Response, now: float, ended: Ended) -> None:
        del self._jobs[job.discovery.unit]
        ended.pages.append((job.discovery, response, utc(now)))
        self._forget(job.discovery.entry.url)
        self._recent[job.discovery.entry.url] = (now, response)
        self._recent_bytes += len(response.body)
        while self._recent_bytes > _REUSE_BYTES or now - next(iter(self._recent.values()))[0] > _REUSE_S:
            self._forget(next(iter(self._recent)))
            if not self._recent:
                break

    def _forget(self, url: str) -> None:
        known = self._recent.pop(url, None)
        if known is not None:
            self._recent_bytes -= len(known[1].body)

    def start(self, now: float, room: int, ended: Ended) -> list[Discovery]:
        """The pages to ask for now, a host after the other, so that none waits behind another's queue.

        A page that was fetched a moment ago for another feed of its outlet is not asked for again: its answer goes to
        `ended` at once, unless the entry is an edit.
        """
        self._wake(now)
        asks: list[Discovery] = []
        busy: dict[str, int] = {}
        for host in self._started.values():
            busy[host] = busy.get(host, 0) + 1
        urls = {self._jobs[unit].discovery.entry.url for unit in self._started if unit in self._jobs}
        waiting = [host for host in self._hosts if self._held.get(host, 0.0) <= now]
        while waiting and len(self._started) < room:
            again = []
            for host in waiting:
                queue = self._hosts[host]
                if busy.get(host, 0) >= _PER_HOST_STARTED or len(self._started) >= room:
                    continue
                unit = queue.popleft()
                job = self._jobs.get(unit)
                if job is not None and not self._reuse(job, now, ended):
                    if job.discovery.entry.url in urls:  # under way for another feed: its answer will do
                        job.not_before = now
                        self._later[unit] = host
                    else:
                        urls.add(job.discovery.entry.url)
                        job.started_at = now
                        self._started[unit] = host
                        busy[host] = busy.get(host, 0) + 1
                        asks.append(job.discovery)
                if queue:
                    again.append(host)
                else:
                    del self._hosts[host]
            waiting = again
        return asks

    def _reuse(self, job: _Job, now: float, ended: Ended) -> bool:
        known = self._recent.get(job.discovery.entry.url)
        if known is None or job.discovery.edited or now - known[0] > _REUSE_S:
            return False
        del self._jobs[job.discovery.unit]
        ended.pages.append((job.discovery, known[1], utc(known[0])))
        return True

    def _wake(self, now: float) -> None:
        if now < self._now - 1.0:
            self._set_back(self._now - now)
        self._now = now
        for unit, host in list(self._started.items()):
            if now - self._jobs[unit].started_at > _LOST_S:
                del self._started[unit]
                self._later[unit] = host
        for unit, host in list(self._later.items()):
            if self._jobs[unit].not_before <= now:
                del self._later[unit]
                self._hosts.setdefault(host, deque()).append(unit)
        self._held = {host: until for host, until in self._held.items() if until > now}

    def _set_back(self, by_s: float) -> None:
        """The clock was set back: all times go with it, or pages would wait for as long again."""
        for job in self._jobs.values():
            job.not_before -= by_s
            job.started_at -= by_s
        self._held = {host: until - by_s for host, until in self._held.items()}
        for url, (at, response) in self._recent.items():
            self._recent[url] = (at - by_s, response)


def without_address(discovery: Discovery) -> DeadLetter:
    """The dead letter of an entry that has neither a link nor its text."""
    entry = discovery.entry
    return DeadLetter(
        stage=STAGE,
        reason="no_url",
        message=f"the entry {entry.title[:100]!r} of {entry.feed_url} has neither a link nor its own text",
        unit=discovery.unit,
        feed_url=entry.feed_url,
    )
