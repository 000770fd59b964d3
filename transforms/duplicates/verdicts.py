"""The shard where an article waits for what the others say of it, and leaves with its verdict."""

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

from newsbeam.transforms.duplicates.agencies import wire_agency
from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.features import token_count
from newsbeam.transforms.duplicates.messages import REVISION, UNCHANGED, unpack_settled
from newsbeam.transforms.duplicates.similarity import EXACT, EXCERPT, KINDS, NEAR, Verdict, with_credit
from newsbeam.transforms.duplicates.sketches import unpack_vote, vote
from newsbeam.transforms.duplicates.survivors import standing_for
from newsbeam.transforms.model.order import KEY, id_of
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import Sent, Work


@dataclass
class _Awaited:
    articles: list[bytes] = field(default_factory=list)
    settled: list[bytes] = field(default_factory=list)
    votes: list[Optional[Verdict]] = field(default_factory=list)


class VerdictMemory:
    """Counts votes; never goes by a timer. What is incomplete waits."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config

    def replay(self, entry: bytes) -> None:
        raise AssertionError("this memory learns nothing")

    def work(self, messages: Sequence[bytes]) -> Work:
        awaited: dict[bytes, _Awaited] = {}
        for message in sorted(messages):
            one = awaited.setdefault(message[1 : 1 + KEY], _Awaited())
            if message[:1] == b"A":
                one.articles.append(message[1 + KEY :])
            elif message[:1] == b"S":
                one.settled.append(message[1:])
            else:
                one.votes.append(unpack_vote(message)[1])
        results: list[Article] = []
        sent: list[Sent] = []
        waiting: list[bytes] = []
        for key in sorted(awaited):
            one = awaited[key]
            known = [unpack_settled(packed) for packed in one.settled]
            if one.articles and len(known) >= len(one.articles) and len(one.votes) >= sum(k[3] for k in known):
                # An input that was delivered twice has one key, twice; the second is unchanged.
                known.sort(key=lambda settled: settled[1:3])
                for packed, (_, standing, revision, asked) in zip(one.articles, known, strict=False):
                    best = min((v for v in one.votes if v is not None), default=None) if asked else None
                    best = with_credit(best, one.votes)
                    article = judged(pickle.loads(packed), standing, revision, best)  # noqa: S301
                    if self._config.survivor == "first":
                        results.append(article)
                    else:
                        told = standing_for(key, article, takes_over(article, best, self._config))
                        sent.append(Sent("survivors", 0, told))
            else:
                waiting.extend(b"A" + key + packed for packed in one.articles)
                waiting.extend(b"S" + packed for packed in one.settled)
                waiting.extend(vote(key, one_vote) for one_vote in one.votes)
        return Work(sent=sent, results=results, waiting=waiting)

    def live_bytes(self) -> int:
        return 0

    def compacted(self) -> Iterable[bytes]:
        return ()


def awaiting(key: bytes, article: Article) -> bytes:
    """The article itself, for the shard where it waits."""
    return b"A" + key + pickle.dumps(article, pickle.HIGHEST_PROTOCOL)


def judged(article: Article, standing: int, revision: int, best: Optional[Verdict]) -> Article:
    """The article with its verdict: `duplicate_kind`, `duplicate_of`, `duplicate_score`, `revision`, `wire_agency`."""
    agency = wire_agency(article.text)
    of, score = None, None
    if standing == UNCHANGED:
        kind, of, score = "unchanged", article.id, 1.0
    elif best is None:
        kind, of = ("revision", article.id) if standing == REVISION else ("unique", None)
    else:
        of, score = id_of(best.of).hex(), round(1 - best.loss, 4)
        kind = "syndicated" if best.kind == NEAR and agency else KINDS[best.kind]
    return replace(
        article,
        revision=revision,
        wire_agency=agency,
        duplicate_kind=kind,
        duplicate_of=of,
        duplicate_score=score,
    )


FULLER = 1.2
"""So many times the tokens of the text it replaces has a copy that takes over under `survivor: fullest`."""


def takes_over(article: Article, best: Optional[Verdict], config: DuplicatesConfig) -> bool:
    """Whether a copy is to stand for its group in place of the first, by the policy `survivor`."""
    if best is None or article.duplicate_kind == "unchanged":
        return False
    if config.survivor == "original":
        return best.credited and best.kind != EXCERPT
    return best.kind != EXACT and best.holds >= 0.9 and token_count(article.text) >= FULLER * best.words


@dataclass(frozen=True)
class Verdicts:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> VerdictMemory:
        return VerdictMemory(self.config)
