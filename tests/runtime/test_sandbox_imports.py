"""What runs in the sandbox does not bring Beam along: each of its processes would be 130 MB larger."""

import subprocess
import sys

import pytest

from tests.support.places import ROOT


@pytest.mark.parametrize(
    "module",
    [
        *("extraction.page", "boilerplate.strip", "language", "runtime.steps"),
        *("sources.files.payload", "model.identity", "topics", "stories.terms"),
        *("feeds.parse", "runtime.sandbox.worker"),
    ],
)
def test_a_module_of_the_sandbox_is_imported_without_beam(module: str) -> None:
    program = f"import sys, newsbeam.transforms.{module}; sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
