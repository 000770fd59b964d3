"""What a text tells of its article is told of the text that is left."""

from dataclasses import replace

import apache_beam as beam
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.transforms.boilerplate.site_memory import drop_repeats
from newsbeam.transforms.cleaning.describe import DescribeAgain, description
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.topics import TopicsConfig, parse_user_topics

TOPICS = TopicsConfig(user_topics=parse_user_topics({"rovers": {"name": "Rovers", "phrases": ["Rovers"]}}))
PROMISE = "Follow the Rovers with us on every match day of the season, wherever you are."
TEXT = (
    "The prime minister asked the president to dissolve parliament and call an election in March.\n"
    f"{PROMISE}\nThe opposition had won a vote of no confidence; parties began campaigning at once."
)
TOLD = ["medtop:11000000", "medtop:20000574"]
DESCRIBED = description(TOPICS)(Article(url="https://a.example/1", title="Early election", text=TEXT, language="en"))


def test_a_description_of_what_has_one_is_the_same() -> None:
    assert [topic.uri for topic in DESCRIBED.topics] == [*TOLD, "user:rovers"]
    assert DESCRIBED.id
    assert description(TOPICS)(DESCRIBED) == DESCRIBED


def test_only_what_lost_lines_to_its_site_is_described_again() -> None:
    shorter = drop_repeats(DESCRIBED, (1,))
    assert PROMISE not in shorter.text
    kept_as_it_is = replace(DESCRIBED, topics=())
    dead_letters = DeadLetters()
    with TestPipeline() as pipeline:
        articles = pipeline | beam.Create([shorter, kept_as_it_is]) | DescribeAgain(TOPICS, dead_letters)
        assert_that(
            articles | beam.Map(lambda article: (article.content_hash, [topic.uri for topic in article.topics])),
            equal_to([(description(TOPICS)(shorter).content_hash, TOLD), (DESCRIBED.content_hash, [])]),
        )
    assert description(TOPICS)(shorter).content_hash != DESCRIBED.content_hash
