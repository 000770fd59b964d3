"""The shard where an article waits to be told its story."""

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from newsbeam.transforms.model.order import KEY
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import Work
from newsbeam.transforms.stories.memory import unpack_told


def awaiting(key: bytes, article: Article) -> bytes:
    """The article itself, for the shard where it waits."""
    return b"A" + key + pickle.dumps(article, pickle.HIGHEST_PROTOCOL)


class ArticleMemory:
    """Pairs articles with what is told of them; what has no pair yet waits."""

    def replay(self, entry: bytes) -> None:
        raise AssertionError("this memory learns nothing")

    def work(self, messages: Sequence[bytes]) -> Work:
        articles: dict[bytes, list[bytes]] = {}
        stories: dict[bytes, list[bytes]] = {}
        for message in sorted(messages):
            place = articles if message[:1] == b"A" else stories
            place.setdefault(message[1 : 1 + KEY], []).append(message)
        results: list[Article] = []
        waiting: list[bytes] = []
        for key in sorted(articles.keys() | stories.keys()):
            waiting_articles, known = articles.get(key, []), stories.get(key, [])
            pairs = min(len(waiting_articles), len(known))
            for packed, story in zip(waiting_articles, known, strict=False):
                _, story_id, score = unpack_told(story)
                article = pickle.loads(packed[1 + KEY :])  # noqa: S301 - packed by `awaiting`
                results.append(replace(article, story_id=story_id.hex(), story_score=score))
            waiting.extend(waiting_articles[pairs:] + known[pairs:])
        return Work(results=results, waiting=waiting)

    def live_bytes(self) -> int:
        return 0

    def compacted(self) -> Iterable[bytes]:
        return ()


@dataclass(frozen=True)
class ArticleShards:
    """Makes the memory of each shard."""

    def __call__(self, shard: int) -> ArticleMemory:
        return ArticleMemory()
