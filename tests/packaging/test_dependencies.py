"""What is imported is declared, what is declared is used, and constraints.txt holds to what setup.py allows."""

import ast
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.declared import extras, normalized, required
from tests.support.places import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
NEEDED_BY_OTHERS = {
    "lxml-html-clean": "trafilatura imports it through jusText",
}
"""What newsbeam installs and does not import, with the reason."""


def imported(*folders: str) -> set[str]:
    """Top-level names that the Python files of these folders import anywhere."""
    names = set()
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module)
    ours = {"newsbeam", "scripts", "tests"}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - ours


def distributions_of(names: set[str]) -> dict[str, set[str]]:
    """Import name -> the distributions that may provide it; the name itself where none is installed."""
    provided = metadata.packages_distributions()
    return {name: {normalized(distribution) for distribution in provided.get(name, [name])} for name in names}


def test_every_package_that_is_imported_is_named_in_setup() -> None:
    """What another package happens to bring along may be gone tomorrow."""
    every = required() + [requirement for extra in extras().values() for requirement in extra]
    named = {normalized(requirement.name) for requirement in every}
    used = distributions_of(imported("transforms", "pipeline"))
    assert {name for name, distributions in used.items() if not distributions & named} == set()


def test_every_package_that_everybody_installs_is_imported() -> None:
    used = set().union(*distributions_of(imported("transforms", "pipeline")).values())
    named = {normalized(requirement.name) for requirement in required()}
    assert named - used - set(NEEDED_BY_OTHERS) == set()


def test_scripts_import_only_what_an_extra_brings() -> None:
    named = {normalized(requirement.name) for requirement in required()}
    for extra in ("measure", "train", "dev"):
        named |= {normalized(requirement.name) for requirement in extras()[extra]}
    provided = distributions_of(imported("scripts"))
    known_as = {"sklearn": {"scikit-learn"}}  # where it is not installed, nothing tells
    missing = {name for name, found in provided.items() if not (found | known_as.get(name, set())) & named}
    assert missing == set()


def test_every_requirement_has_a_lower_bound_and_what_changes_records_an_upper_one() -> None:
    for requirement in required():
        operators = {specifier.operator for specifier in requirement.specifier}
        assert ">=" in operators, f"{requirement}: since which version does it have what is used?"
        assert "<" in operators or requirement.name == "pyarrow", f"{requirement}: below which version was it tried?"


def test_extras_that_texts_and_messages_name_exist() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    named: dict[str, str] = {}
    for name in listed:
        if name.endswith((".py", ".md", ".sh", ".yaml", ".yml", "Dockerfile")) and (ROOT / name).is_file():
            for found in re.findall(r"(?:newsbeam|['\"]\.)\[([a-z,]+)\]", (ROOT / name).read_text(encoding="utf-8")):
                named |= dict.fromkeys(found.split(","), name)
    assert named
    assert {extra: file for extra, file in named.items() if extra not in extras()} == {}


def constraints() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_name_one_allowed_version_of_every_requirement(python: str) -> None:
    """After a change of setup.py: `scripts/lock.sh`."""
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "extra": ""}
    pinned: dict[str, str] = {}
    for constraint in constraints():
        if constraint.marker is None or constraint.marker.evaluate(here):
            (specifier,) = constraint.specifier
            assert specifier.operator == "=="
            assert normalized(constraint.name) not in pinned, f"{constraint.name} has two versions on Python {python}"
            pinned[normalized(constraint.name)] = specifier.version
    for requirement in required() + [one for extra in extras().values() for one in extra]:
        if normalized(requirement.name) == "setuptools":
            continue  # what builds the package is in pyproject.toml
        version = pinned.get(normalized(requirement.name))
        assert version, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(version), f"{requirement}: constraints.txt has {version}"


def test_these_tests_run_with_the_versions_of_the_constraints() -> None:
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    found = metadata.distributions(path=folders)
    installed = {normalized(distribution.metadata["Name"]): distribution.version for distribution in found}
    differing = {
        constraint.name: f"{installed[normalized(constraint.name)]} instead of {constraint.specifier}"
        for constraint in constraints()
        if (constraint.marker is None or constraint.marker.evaluate())
        and normalized(constraint.name) in installed
        and not constraint.specifier.contains(installed[normalized(constraint.name)])
    }
    assert differing == {}, "scripts/test.sh makes an environment with the right ones"


def test_everything_that_installs_newsbeam_keeps_to_the_constraints() -> None:
    for name in ("scripts/environment.sh", "deploy/Dockerfile"):
        text = (ROOT / Path(name)).read_text(encoding="utf-8").replace("\\\n", " ")
        (command,) = re.findall(r"^.*pip install.*$", text, re.MULTILINE)
        assert re.search(r"--constraint \S*constraints\.txt", command), f"{name}: {command.strip()}"
