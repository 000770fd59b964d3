"""The table of sinks is the one list of them: what should follow from it does."""

import inspect

import pytest

from newsbeam.pipeline.cli.commands.options import SINKS_AND_BEAM
from newsbeam.transforms.sinks.table import SINKS, SinkKind
from newsbeam.transforms.sinks.uri import parse_sink
from tests.support.places import ROOT

KINDS = list(SINKS.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.scheme)
def test_every_sink_has_an_example_that_parses_and_the_functions_of_a_sink(kind: SinkKind) -> None:
    assert parse_sink(kind.example).kind is kind
    module = kind.load()
    assert list(inspect.signature(module.make).parameters) == ["target", "live"]
    for function in (module.check, module.finalize):
        assert list(inspect.signature(function).parameters) == ["target"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.scheme)
def test_every_sink_is_in_the_help_and_in_the_readme(kind: SinkKind) -> None:
    assert kind.example in SINKS_AND_BEAM
    sinks = (ROOT / "README.md").read_text().partition("\n## Sinks\n")[2].partition("\n## ")[0]
    scheme = kind.scheme.replace("webhook+http", "webhook+https") if kind.scheme == "webhook+http" else kind.scheme
    (row,) = [line for line in sinks.splitlines() if line.startswith("|") and f"`{scheme}:" in line]
    assert not kind.extra or f"`[{kind.extra}]`" in row


def test_extras_that_sinks_name_can_be_installed() -> None:
    setup = (ROOT / "setup.py").read_text()
    for kind in KINDS:
        assert not kind.extra or f'"{kind.extra}"' in setup
