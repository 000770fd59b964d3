"""Stages with memory stand in one pipeline in any order, with their default settings, and no article is lost."""

import itertools
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.internal import pickler
from apache_beam.testing.util import assert_that, equal_to

from newsbeam.transforms.boilerplate.site_repeats import StripSiteRepeats
from newsbeam.transforms.duplicates import MarkDuplicates
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.runtime.shards import MOST_HOPS, Grid, ShardLine, ShardStage
from newsbeam.transforms.runtime.stage_dofn import shards_at
from newsbeam.transforms.stories.stories import LinkStories
from tests.support.places import ROOT
from tests.support.shards import ByName, Visit, Visits, counting

STAGES: dict[str, Callable[[], Any]] = {
    "sites": StripSiteRepeats,
    "duplicates": MarkDuplicates,
    "stories": LinkStories,
}


def articles(count: int) -> list[Article]:
    made = []
    for number in range(count):
        text = "\n".join(f"Sentence {line} of report {number} is about {number * 7 + line}." for line in range(9))
        origin = Origin(unit=f"unit {number}", seen_at=f"2024-05-01T{number % 24:02}:00:00Z", rank=f"{number:06}")
        article = Article(url=f"https://site{number % 3}.example/{number}", title=f"Report {number}", text=text)
        made.append(identify(replace(article, domain=f"site{number % 3}.example", language="en", origin=origin)))
    return made


def unit_of(article: Article) -> str:
    return article.origin.unit


@pytest.mark.parametrize(("first", "second"), list(itertools.product(STAGES, repeat=2)))
def test_every_pair_of_stages_lets_every_article_out(first: str, second: str) -> None:
    given = articles(60)
    with beam.Pipeline() as pipeline:
        made = (
            pipeline
            | beam.Create(given).with_output_types(Article)
            | "First" >> STAGES[first]()
            | "Second" >> STAGES[second]()
        )
        assert_that(made | "Unit" >> beam.Map(unit_of), equal_to([unit_of(article) for article in given]))


def test_lines_side_by_side_do_not_share_hops() -> None:
    given = articles(12)
    units = [unit_of(article) for article in given]
    with beam.Pipeline() as pipeline:
        read = pipeline | beam.Create(given).with_output_types(Article)
        for name in "ab":
            made = read | f"Duplicates {name}" >> MarkDuplicates() | f"Stories {name}" >> LinkStories()
            assert_that(made | f"Unit {name}" >> beam.Map(unit_of), equal_to(units), label=name)


def test_a_pipeline_with_too_many_stages_is_refused_when_it_is_built() -> None:
    pipeline = beam.Pipeline()
    visits = pipeline | beam.Create([Visit(1, "a")])
    names = [f"stage {number}" for number in range(MOST_HOPS)]
    counted = visits | "Most" >> counting(1, *names)
    assert counted.pipeline is pipeline
    with pytest.raises(ValueError, match="at most 256 shard stages, and this one has 256 already"):
        visits | "One more" >> counting(1, "one more")


class NoLogs:
    def entries(self, stage: str, shard: int) -> tuple[bytes, ...]:
        return ()

    def append(self, stage: str, shard: int, entries: Any, instead: bool) -> None: ...

    def __repr__(self) -> str:
        return "NoLogs()"


def test_two_stages_that_would_write_one_log_are_refused_when_the_pipeline_is_built() -> None:
    visits = beam.Pipeline() | beam.Create([Visit(1, "a")])
    visits | "First" >> counting(1, "count", store=NoLogs())
    with pytest.raises(ValueError, match=r"would write the log count in NoLogs\(\)"):
        visits | "Second" >> counting(1, "count", store=NoLogs())


UNPICKLE = """
import sys
from apache_beam.internal import pickler
dofn = pickler.loads(sys.stdin.buffer.read())
print(type(dofn).__name__, dofn._grid, dofn._hops)
"""


def test_a_worker_makes_the_dofn_of_any_hop() -> None:
    dofn = shards_at(ShardStage("count", Visits()), Grid(1.0, 77), {"count": 77}, None, True)
    done = subprocess.run(
        [sys.executable, "-c", UNPICKLE], cwd=ROOT, input=pickler.dumps(dofn), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "Shards77 Grid(grain_seconds=1.0, hop=77) {'count': 77}"
    assert type(pickle.loads(pickle.dumps(dofn))) is type(dofn)  # noqa: S301 - made in this line


def test_a_line_of_one_stage_takes_one_hop() -> None:
    pipeline = beam.Pipeline()
    visits = pipeline | beam.Create([Visit(1, "a")])
    line = ShardLine(ByName(1, "x"), [ShardStage("x", Visits())], tuple[str, int, int])
    visits | "Line" >> line
    visits | "Another" >> counting(1, "y")
    names = {step.full_label: step.transform.fn for step in _steps(pipeline) if hasattr(step.transform, "fn")}
    assert type(names["Line/x"]).__name__ == "Shards0"
    assert type(names["Another/y"]).__name__ == "Shards1"


def _steps(pipeline: beam.Pipeline) -> list[Any]:
    found: list[Any] = []

    class Visitor(beam.pipeline.PipelineVisitor):
        def visit_transform(self, transform_node: Any) -> None:
            found.append(transform_node)

    pipeline.visit(Visitor())
    return found
