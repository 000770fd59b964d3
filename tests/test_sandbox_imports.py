"""What runs in the sandbox does not bring Beam along: each of its processes would be 130 MB larger."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module",
    [
        *("transforms.extraction.page", "transforms.boilerplate.strip", "transforms.language", "transforms.steps"),
        *("transforms.reading.payload", "transforms.identity", "transforms.topics", "transforms.stories.terms"),
        *("transforms.feeds.parse", "transforms.sandbox_worker"),
    ],
)
def test_a_module_of_the_sandbox_is_imported_without_beam(module: str) -> None:
    program = f"import sys, {module}; sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent.parent, check=True)
