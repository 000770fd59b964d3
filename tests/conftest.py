"""What holds for every test: a process as new, and a count of the tests that use a real server."""

import logging
import os
from collections.abc import Generator, Iterator

import pytest

from tests.support.server_use import ServerUse
from tests.support.sinks_servers import SERVER_FIXTURES, kafka, postgresql

__all__ = ["kafka", "postgresql"]  # fixtures, for every test


def pytest_configure() -> None:
    """Keeps what Beam says of its optional parts when it is imported from being the last line of a run."""
    logging.getLogger().addFilter(lambda record: "apitools not found" not in record.getMessage())


@pytest.fixture(autouse=True)
def _nothing_left_of_other_tests() -> Iterator[None]:
    """Empties what the process keeps for a run: caches of stages, loops of HTTP clients, a request to stop."""
    from newsbeam.transforms.sources.live import end_live_run  # imports Beam, which must come after `pytest_configure`

    end_live_run()
    yield
    end_live_run()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Writes into a report which servers its test asks for: with xdist, the first process sees nothing but reports."""
    report = yield
    report.servers = sorted(SERVER_FIXTURES & set(getattr(item, "fixturenames", ())))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Ends the run with a line on the servers, after pytest's own; fails it if one that is there was not used."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    use = ServerUse(os.environ.get("NEWSBEAM_TEST_SERVERS", "").split())
    for outcome in ("passed", "skipped"):
        for report in reporter.stats.get(outcome, []):
            use.count(outcome, getattr(report, "servers", ()))
    if use.passed or use.skipped or use.required:
        reporter.write_line(use.summary())
    if use.unused() and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"Installed and not used by any test: {', '.join(use.unused())}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
