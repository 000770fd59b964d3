"""How articles are gathered into stories."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StoriesConfig:
    """Settings of `LinkStories`. The thresholds are measured: see the evaluation."""

    shards: int = 4
    """Languages are spread over them; fixed for the life of a job."""
    gate_hours: float = 72.0
    """Longest silence within a story: an article joins only if the last one is no further away."""
    similar: float = 0.22
    """Cosine from which an article belongs to a story, for languages whose words are weighed by a shipped table."""
    similar_unweighed: float = 0.3
    """The same for other languages."""
    grain_seconds: float = 1.0
    """How much event time is worked through together, on engines that wait for the watermark."""

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 4096:
            raise ValueError(
                f"shards: {self.shards} is out of range; use 1 to 8 on one machine, up to 4096 on a cluster"
            )
