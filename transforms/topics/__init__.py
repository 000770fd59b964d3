"""Topics of an article by IPTC Media Topics: `tag_topics`, and `TopicTagger` for a stage. Knows nothing of Beam."""

from newsbeam.transforms.topics.tagging import (
    Explanation,
    Tagger,
    TopicsConfig,
    TopicTagger,
    explain_topics,
    score_topics,
    tag_topics,
)
from newsbeam.transforms.topics.user_topics import UserTopic, UserTopicsError, parse_user_topics, read_user_topics

__all__ = [
    "Explanation",
    "Tagger",
    "TopicTagger",
    "TopicsConfig",
    "UserTopic",
    "UserTopicsError",
    "explain_topics",
    "parse_user_topics",
    "read_user_topics",
    "score_topics",
    "tag_topics",
]
