"""Decides what is published where, at any moment, as a function of the seed and the clock.

Story number k is printed at a moment that k alone decides. Chance, drawn from the seed, decides which feed it is in,
whether another outlet reprints it, and whether it is edited later.
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.press.stories import LANGUAGES, Story, write_story

DOMAIN = "newsroom.test"


@dataclass(frozen=True)
class PressPlan:
    """Size and habits of the press.

    Attributes:
        feeds, hosts: feed f belongs to host f mod `hosts`.
        stories_per_s: printed over all.
        reprinted, edited, full_text: shares of stories that are reprinted by another outlet word for word, that are
            edited, and whose feed entry carries the whole text.
        reprint_after_s, edit_after_s: after it was printed.
        newest: entries in a feed.
        lasting: stories stop being printed after so many (0: never).
        busy: only the first so many feeds print anything (0: all do).
    """

    seed: int = 1
    feeds: int = 200
    hosts: int = 50
    stories_per_s: float = 1.0
    reprinted: float = 0.1
    edited: float = 0.05
    full_text: float = 0.2
    reprint_after_s: float = 20.0
    edit_after_s: float = 60.0
    newest: int = 20
    lasting: int = 0
    busy: int = 0

    @property
    def printing(self) -> int:
        """Number of feeds that print anything: the first `busy`, or all."""
        return self.busy or self.feeds


@dataclass(frozen=True)
class Printed:
    """A story in a feed.

    Attributes:
        at: when it was printed, in seconds of the press's clock.
        copy: it is a reprint of a story of another outlet.
        edited_at: when its latest edit was printed; 0 if it was not edited.
    """

    number: int
    feed: int
    at: float
    copy: bool = False
    edited_at: float = 0.0
    full_text: bool = False


@dataclass
class _FeedState:
    entries: deque[Printed]
    version: int = 0
    changed_at: float = 0.0


@dataclass
class Press:
    """The state of the press at a moment; `advance` moves it forward, never back.

    Args:
        plan: what kind of press it is.
        port: of the site, as it stands in URLs.
    """

    plan: PressPlan
    port: int = 80
    now: float = 0.0
    printed: list[Printed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._feeds: dict[int, _FeedState] = {}
        self._next = 0
        self._later: list[tuple[float, Printed]] = []
        self._pages: dict[tuple[int, int], Printed] = {}

    def chance(self, what: str, number: int) -> float:
        """Returns a number in [0, 1) that depends on nothing but the seed and the arguments."""
        text = f"{self.plan.seed}:{what}:{number}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big") / (1 << 48)

    def advance(self, now: float) -> None:
        """Publishes everything that is due up to `now`."""
        self.now = max(self.now, now)
        while self._next / self.plan.stories_per_s <= now and not 0 < self.plan.lasting <= self._next:
            self._print(self._next)
            self._next += 1
        while self._later and self._later[0][0] <= now:
            at, printed = self._later.pop(0)
            self._put(printed, at)

    def _print(self, number: int) -> None:
        plan, at = self.plan, number / self.plan.stories_per_s
        feed = int(self.chance("feed", number) * plan.printing)
        full_text = self.chance("full", number) < plan.full_text
        self._put(Printed(number, feed, at, full_text=full_text), at)
        later = []
        if self.chance("reprint", number) < plan.reprinted:
            other = (feed + 1 + int(self.chance("other", number) * (plan.printing - 1))) % plan.printing
            if other % plan.hosts != feed % plan.hosts:
                again = at + plan.reprint_after_s
                later.append((again, Printed(number, other, again, copy=True, full_text=full_text)))
        if self.chance("edit", number) < plan.edited:
            edited_at = at + plan.edit_after_s
            later.append((edited_at, Printed(number, feed, at, edited_at=edited_at, full_text=full_text)))
        if later:
            self._later = sorted(self._later + later, key=lambda item: (item[0], item[1].number, item[1].feed))

    def _put(self, printed: Printed, at: float) -> None:
        state = self._feeds.setdefault(printed.feed, _FeedState(deque(maxlen=self.plan.newest)))
        if printed.edited_at:
            state.entries = deque(
                (printed if entry.number == printed.number else entry for entry in state.entries),
                maxlen=self.plan.newest,
            )
        else:
            state.entries.appendleft(printed)
        state.version += 1
        state.changed_at = at
        self._pages[printed.number, printed.feed] = printed
        self.printed.append(printed)

    def entries(self, feed: int) -> list[Printed]:
        """Returns the entries of a feed, newest first."""
        state = self._feeds.get(feed)
        return list(state.entries) if state else []

    def version(self, feed: int) -> tuple[int, float]:
        """Returns how often a feed has changed, and when it last did."""
        state = self._feeds.get(feed)
        return (state.version, state.changed_at) if state else (0, 0.0)

    def page(self, number: int, feed: int) -> Printed | None:
        """Returns the page of a story, or None if it is not printed yet."""
        return self._pages.get((number, feed))

    def story(self, number: int) -> Story:
        """Returns the text of a story."""
        return write_story(self.plan.seed, number, LANGUAGES[int(self.chance("language", number) * len(LANGUAGES))])

    def host(self, feed: int) -> str:
        """Returns the host of a feed."""
        return f"paper{feed % self.plan.hosts}.{DOMAIN}"

    def feed_url(self, feed: int) -> str:
        """Returns the URL of a feed."""
        return f"http://{self.host(feed)}:{self.port}/feeds/{feed}.xml"

    def page_url(self, printed: Printed) -> str:
        """Returns the URL of a story's page."""
        return f"http://{self.host(printed.feed)}:{self.port}/news/{printed.feed}/{printed.number}"

    def truth(self) -> Iterator[dict[str, object]]:
        """Yields every version of every story that was printed: what a reader must find."""
        for printed in self.printed:
            yield {
                "story": printed.number,
                "feed": self.feed_url(printed.feed),
                "url": self.page_url(printed),
                "printed_at": printed.edited_at or printed.at,
                "copy": printed.copy,
                "edit": bool(printed.edited_at),
            }
