"""What newsbeam uses of Beam's private parts is there, and behaves as the code that uses it assumes.

Private parts change without notice, so `setup.py` lets one minor version of Beam in. To move on to the next: raise the
bound, run `scripts/lock.sh`, and mend what fails here first; the messages name the code that has to follow.
"""

import ast
import inspect
from collections.abc import Callable
from itertools import chain

import pytest
from apache_beam.coders import coders
from apache_beam.metrics import monitoring_infos
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability import portable_runner
from apache_beam.runners.portability.fn_api_runner import execution, fn_runner, translations, worker_handlers
from apache_beam.runners.worker import bundle_processor
from apache_beam.version import __version__ as beam_version

from tests.support.declared import required
from tests.support.places import ROOT

PRIVATE_MODULES = {
    "apache_beam.coders.coders": {"FastCoder"},
    "apache_beam.metrics": {"monitoring_infos"},
    "apache_beam.runners.portability.fn_api_runner": {"FnApiRunner", "fn_runner", "translations", "worker_handlers"},
    "apache_beam.runners.worker": {"bundle_processor"},
    "apache_beam.typehints.schemas": {"schema_from_element_type"},
}
"""Modules that Beam does not document, and what is imported from them."""


def takes(function: Callable[..., object], *names: str) -> bool:
    """Whether a function's first parameters have these names."""
    return tuple(inspect.signature(function).parameters)[: len(names)] == names


def queue_lets_the_newest_pass_first() -> bool:
    queue = execution._ProcessingQueueManager().ready_inputs
    first, second = (execution.DataInput({"in": [name]}, {}) for name in "ab")  # type: ignore[dict-item]
    queue.enque(("a", first))
    queue._keyed_elements["b"] = ("b", second)
    queue._q.append(("b", second))
    return queue.deque()[0] == "b" and queue.deque()[0] == "a" and len(queue) == 0


ASSUMED: dict[str, tuple[str, Callable[[], object]]] = {
    "run_stages(stage_context, stages) runs a whole pipeline": (
        "pipeline/runners/flowing_runner.py overrides it",
        lambda: takes(fn_runner.FnApiRunner.run_stages, "self", "stage_context", "stages"),
    ),
    "_run_bundle(context, bundle_context_manager, ...) returns (response, rest, timers, watermarks)": (
        "pipeline/runners/flowing_runner.py overrides it",
        lambda: (
            takes(fn_runner.FnApiRunner._run_bundle, "self", "runner_execution_context", "bundle_context_manager")
            and str(inspect.signature(fn_runner.FnApiRunner._run_bundle).return_annotation).count("],") >= 2
        ),
    ),
    "_execute_bundle(context, bundle_context_manager, bundle_input) returns the bundle's response": (
        "pipeline/runners/flowing_runner.py overrides it",
        lambda: takes(
            fn_runner.FnApiRunner._execute_bundle,
            *("self", "runner_execution_context", "bundle_context_manager", "bundle_input"),
        ),
    ),
    "a run's queues are ready_inputs and watermark_pending_inputs": (
        "pipeline/runners/flowing_runner.py moves what waits from the second to the first",
        lambda: {"ready_inputs", "watermark_pending_inputs"} <= vars(execution._ProcessingQueueManager()).keys(),
    ),
    "a queue gives what was appended to `_q` before what waits": (
        "pipeline/runners/flowing_runner.py puts what was made in front",
        queue_lets_the_newest_pass_first,
    ),
    "buffers of grouped elements are called 'group'": (
        "pipeline/runners/flowing_runner.py tells by it which stages need all of their input",
        lambda: (
            translations.split_buffer_id(translations.create_buffer_id("x", "group"))[0] == "group"
            and translations.IMPULSE_BUFFER
            and bundle_processor.DATA_INPUT_URN
            and callable(translations.Stage.side_inputs)
        ),
    ),
    "fn_runner calls consolidate_monitoring_infos by its global name": (
        "pipeline/runners/direct_runner.py replaces it to cure a leak",
        lambda: (
            "consolidate_monitoring_infos(" in inspect.getsource(fn_runner.FnApiRunner.run_stages)
            and list(fn_runner.consolidate_monitoring_infos(chain())) == []
        ),
    ),
    "worker_handlers reads STATE_CACHE_SIZE_MB when it makes a worker": (
        "pipeline/runners/direct_runner.py sets it to 0",
        lambda: "StateCache(STATE_CACHE_SIZE_MB" in inspect.getsource(worker_handlers.EmbeddedWorkerHandler),
    ),
    "monitoring infos of counters, distributions and stage times can be read": (
        "pipeline/runners/running_metrics.py adds them up",
        lambda: all(
            hasattr(monitoring_infos, name)
            for name in (
                *("TOTAL_MSECS_URN", "USER_COUNTER_URN", "USER_DISTRIBUTION_URN", "PTRANSFORM_LABEL"),
                *("extract_counter_value", "extract_distribution", "parse_namespace_and_name"),
            )
        ),
    ),
    "a job server's result asks for metrics again once `_metrics` is None": (
        "pipeline/runners/running_metrics.py clears it",
        lambda: "if not self._metrics:" in inspect.getsource(portable_runner.PipelineResult.metrics),
    ),
    "every class of options adds its arguments by _add_argparse_args": (
        "pipeline/config/beam_options.py lists the options that there are",
        lambda: all(callable(options._add_argparse_args) for options in PipelineOptions.__subclasses__()),
    ),
    "FastCoder makes its implementation by _create_impl": (
        "transforms/runtime/record_coder.py overrides it",
        lambda: callable(coders.FastCoder._create_impl),
    ),
}
"""What is assumed of Beam: the code that relies on it, and a check."""


@pytest.mark.parametrize("assumption", ASSUMED)
def test_beam_has_what_the_engine_relies_on(assumption: str) -> None:
    relied_on_by, holds = ASSUMED[assumption]
    try:
        held = bool(holds())
    except (AttributeError, TypeError, ValueError) as error:
        pytest.fail(f"Beam {beam_version}: no longer true that {assumption} ({error}); {relied_on_by}")
    assert held, f"Beam {beam_version}: no longer true that {assumption}; {relied_on_by}"


def test_no_other_undocumented_module_of_beam_is_imported() -> None:
    used: dict[str, set[str]] = {}
    for file in (path for folder in ("transforms", "pipeline") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            private = node.module.startswith("apache_beam.runners.") and node.module != "apache_beam.runners.runner"
            if private or node.module in PRIVATE_MODULES:
                used.setdefault(node.module, set()).update(alias.name for alias in node.names)
    used["apache_beam.metrics"] -= {"Metrics", "MetricsFilter"}  # documented
    assert used == PRIVATE_MODULES


def test_setup_lets_in_the_one_minor_version_that_was_looked_at() -> None:
    (beam,) = (requirement for requirement in required() if requirement.name == "apache-beam")
    major, minor, *_ = map(int, beam_version.split(".")[:2])
    assert beam.specifier.contains(beam_version)
    assert not beam.specifier.contains(f"{major}.{minor + 1}.0")
