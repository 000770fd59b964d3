"""Topics of an article by IPTC Media Topics: `tag_topics` is the pure function, `TagTopics` the stage."""

from transforms.topics.tagging import (
    Explanation,
    Tagger,
    TagTopics,
    TopicsConfig,
    explain_topics,
    score_topics,
    tag_topics,
)
from transforms.topics.user_topics import UserTopic, UserTopicsError, parse_user_topics, read_user_topics

__all__ = [
    "Explanation",
    "TagTopics",
    "Tagger",
    "TopicsConfig",
    "UserTopic",
    "UserTopicsError",
    "explain_topics",
    "parse_user_topics",
    "read_user_topics",
    "score_topics",
    "tag_topics",
]
