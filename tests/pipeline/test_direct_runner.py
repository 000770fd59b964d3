"""The local engine: Beam's leak is there, and cured."""

import inspect
from types import GeneratorType

import pytest
from apache_beam.runners.portability.fn_api_runner import fn_runner

from newsbeam.pipeline.runners import direct_runner


def test_beam_still_needs_the_cure() -> None:
    """When this fails, Beam has mended its leak: delete `cure_leak` and this test."""
    assert isinstance(direct_runner._consolidate([]), GeneratorType)
    assert "consolidate_monitoring_infos(" in inspect.getsource(fn_runner.FnApiRunner.run_stages)


def test_cured_monitoring_infos_do_not_keep_the_last_bundles_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fn_runner, "consolidate_monitoring_infos", direct_runner._consolidate)
    direct_runner.cure_leak()
    assert fn_runner.consolidate_monitoring_infos([]) == []
