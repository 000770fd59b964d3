"""What setup.py declares, read by running it without setuptools building anything."""

import runpy
from functools import lru_cache
from typing import Any
from unittest import mock

from packaging.requirements import Requirement

from tests.support.places import ROOT


@lru_cache(maxsize=1)
def setup_arguments() -> dict[str, Any]:
    """The arguments that setup.py gives to `setuptools.setup`."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    (call,) = setup.call_args_list
    return dict(call.kwargs)


def required() -> list[Requirement]:
    """What is installed with newsbeam itself."""
    return [Requirement(line) for line in setup_arguments()["install_requires"]]


def extras() -> dict[str, list[Requirement]]:
    """What each extra installs."""
    return {name: [Requirement(line) for line in lines] for name, lines in setup_arguments()["extras_require"].items()}


def normalized(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")
