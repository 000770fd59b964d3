"""Records keep their class, and old ones can be read, wherever they are decoded."""

import dataclasses
import pickle
import subprocess
import sys

import pytest
from apache_beam import coders
from apache_beam.coders import RowCoder
from apache_beam.internal import pickler
from apache_beam.typehints.schemas import schema_from_element_type

from newsbeam.transforms.model.records import Article, DeadLetter, Entry, Origin, Outcome, Page, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.runtime.record_coder import RecordCoder
from tests.support.places import ROOT

ARTICLE = Article(
    id="a",
    url="u",
    authors=["Ann"],
    topics=[Topic("medtop:1", "p", 0.5, "model")],
    removed_blocks=[RemovedBlock("credit", "Photo", None)],
    origin=Origin(unit="f.txt", topic_hints=[]),
)

READ_ELSEWHERE = """
import sys, pickle
from apache_beam.internal import pickler
coder, data = pickle.load(sys.stdin.buffer)
record = pickler.loads(coder).decode(data)
assert type(record).__module__ == "newsbeam.transforms.model.records", type(record)
assert type(record.topics[0]).__name__ == "Topic", record.topics
sys.stdout.buffer.write(pickle.dumps(record))
"""


@pytest.mark.parametrize("record", [Origin, Entry, Page, Topic, RemovedBlock, Article, DeadLetter, Outcome])
def test_every_record_has_the_coder(record: type) -> None:
    assert coders.registry.get_coder(record) == RecordCoder(record)
    assert coders.registry.get_coder(record).is_deterministic()


def test_a_record_is_of_its_own_class_in_another_process() -> None:
    """A worker decodes before it has imported any of our code: only what the coder itself names is there."""
    coder = coders.registry.get_coder(Article)
    done = subprocess.run(
        [sys.executable, "-c", READ_ELSEWHERE],
        input=pickle.dumps((pickler.dumps(coder), coder.encode(ARTICLE))),
        capture_output=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr.decode()[-1500:]
    read = pickle.loads(done.stdout)  # noqa: S301  # our own bytes
    assert to_json(read) == to_json(ARTICLE)
    assert read.origin.unit == "f.txt"


def test_a_record_with_fewer_fields_can_still_be_read() -> None:
    record = Outcome("f.txt", "story", "https://example.org/a", "a")
    *kept, newest = dataclasses.fields(Outcome)
    older = dataclasses.make_dataclass("OlderOutcome", [(f.name, f.type) for f in kept], frozen=True)
    coders.registry.register_row(older)
    written = RowCoder(schema_from_element_type(older)).encode(older(*(getattr(record, f.name) for f in kept)))
    assert RecordCoder(Outcome).decode(written) == dataclasses.replace(record, **{newest.name: None})


def test_every_row_of_the_project_is_registered_as_a_record() -> None:
    """`register_row` alone would lose the class on the way to another process."""
    sources = (ROOT / "transforms").rglob("*.py")
    alone = [str(s) for s in sources if "register_row(" in s.read_text() and s.name != "record_coder.py"]
    assert alone == []
