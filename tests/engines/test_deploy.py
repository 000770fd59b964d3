"""What a cluster is given: the packed project, the container's recipe, the template."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from apache_beam.version import __version__ as beam_version

from tests.support.declared import extras
from tests.support.places import ROOT


def template() -> ModuleType:
    spec = importlib.util.spec_from_file_location("template", ROOT / "deploy/template.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_parameters_of_the_template_become_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("tick_s: 7")
    given = ["--to=postgresql://u@h/d,pubsub://p/t", "--streaming", f"--config={tmp_path}/mine.yaml"]
    assert template().command_line(given, tmp_path) == [
        *("live", "--to", "postgresql://u@h/d", "--to", "pubsub://p/t", "--streaming"),
        *("--config", f"{tmp_path}/live.yaml", "--ledger", "none"),
    ]
    assert (tmp_path / "live.yaml").read_text() == "tick_s: 7"


def test_the_templates_specification_is_of_the_form_that_dataflow_reads() -> None:
    described = json.loads((ROOT / "deploy/flex_template.json").read_text(encoding="utf-8"))
    assert described["sdkInfo"] == {"language": "PYTHON"}
    parameters = described["metadata"]["parameters"]
    assert {p["name"] for p in parameters} == {"config", "to", "sdk_container_image"}
    for parameter in parameters:
        assert parameter["label"]
        assert parameter["helpText"]
        for pattern in parameter.get("regexes", ()):
            re.compile(pattern)


def test_the_container_has_the_beam_that_the_tests_ran_with() -> None:
    assert f"ARG BEAM={beam_version}\n" in (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


def test_the_container_is_built_from_what_its_recipe_copies(tmp_path: Path) -> None:
    """The recipe's own steps, without Docker: what it copies is packed, and its imports are tried on that."""
    recipe = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    worker = recipe.partition("AS worker")[2].partition("\nFROM")[0]
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    for names in re.findall(r"^COPY (.+)$", worker, re.MULTILINE):
        *copied, _ = names.split()
        for name in copied:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source)
    packed = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "-d", str(built)], cwd=source, capture_output=True, text=True
    )
    assert packed.returncode == 0, packed.stderr[-2000:]
    (tried,) = re.findall(r'python -c "([^"]+)"', worker)
    done = subprocess.run(
        [sys.executable, "-c", tried], cwd=tmp_path, env={"PYTHONPATH": str(built)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (installed,) = re.findall(r"\.\[([a-z,]+)\]", worker)
    assert set(installed.split(",")) <= set(extras())


def test_all_files_that_the_code_reads_are_packed(tmp_path: Path) -> None:
    """What only the clone has would be missing on a worker."""
    pytest.importorskip("setuptools")
    built = tmp_path / "built"
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path), "build_py", "-d", str(built)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    packed = {str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()}
    listed = subprocess.run(
        ["git", "ls-files", "transforms", "pipeline"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    installed = [
        name.removeprefix("pipeline/") if name.startswith("pipeline/newsbeam/") else f"newsbeam/{name}"
        for name in listed.stdout.split()
        if not name.endswith(".md")
    ]
    missing = [name for name in installed if name not in packed]
    assert missing == []
