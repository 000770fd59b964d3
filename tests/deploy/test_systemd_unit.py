"""The systemd unit: its syntax, its confinement, and the command that it starts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from newsbeam.pipeline.cli.main import main
from tests.support.places import ROOT

UNIT = ROOT / "deploy/newsbeam.service"
LARGEST_EXPOSURE = 1.5
"""Of 10, by `systemd-analyze security`: below 2 is what it calls OK; units without any confinement have 9.6."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@needs_systemd
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/newsbeam/bin/newsbeam", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


@needs_systemd
def test_the_unit_is_confined() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True)
    stated = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert stated, done.stdout[-500:] + done.stderr
    assert float(stated[1]) <= LARGEST_EXPOSURE


def test_the_unit_starts_a_command_that_newsbeam_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (started,) = re.findall(r"^ExecStart=/opt/newsbeam/bin/newsbeam (.+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    (tmp_path / "live.yaml").write_text("contact: 5\n")
    assert main(started.replace("${CREDENTIALS_DIRECTORY}", str(tmp_path)).split()) == 2
    assert "contact" in capsys.readouterr().err
