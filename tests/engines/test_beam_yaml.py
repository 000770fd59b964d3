"""newsbeam in a pipeline of Beam YAML: the example of configs/beam_yaml.yaml, run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from newsbeam.transforms.yaml_provider import news_row
from tests.support.places import ROOT

PAGE = """<html lang="en"><head><title>Bridge closed</title></head><body><article><h1>Bridge closed</h1>
<p>The old bridge over the river has been closed to all traffic since Monday, the town said in the evening.</p>
<p>Engineers had found cracks in two of its pillars, and repairs are expected to last until the spring of next year.</p>
</article></body></html>"""


def test_a_page_becomes_a_row_and_one_that_is_none_says_why() -> None:
    row = news_row("https://example.org/bridge", PAGE)
    assert row.title == "Bridge closed"
    assert "cracks in two of its pillars" in row.text
    assert row.rejected is None
    empty = news_row("https://example.org/empty", " ")
    assert empty.text == ""
    assert (empty.rejected or "").startswith("empty: ")


def test_the_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="pip install newsbeam[yaml]")
    pytest.importorskip("apache_beam.yaml.yaml_transform", reason="pip install newsbeam[yaml]")
    pages = tmp_path / "pages.jsonl"
    pages.write_text("".join(json.dumps({"url": f"https://example.org/{i}", "html": PAGE}) + "\n" for i in range(3)))
    variables = json.dumps({"pages": str(pages), "out": str(tmp_path / "articles")})
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "apache_beam.yaml.main",
            "--yaml_pipeline_file=configs/beam_yaml.yaml",
            f"--jinja_variables={variables}",
            "--runner=FnApiRunner",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for f in tmp_path.glob("articles*") for line in f.read_text().splitlines()]
    assert sorted(line["url"] for line in lines) == [f"https://example.org/{i}" for i in range(3)]
    assert {line["title"] for line in lines} == {"Bridge closed"}
