"""FnApiRunner, for graphs whose source does not end: what one stage makes is worked on before the source goes on.

Beam 2.77's FnApiRunner fuses what it can into the source's own stage; what it cannot fuse (anything behind a `Flatten`,
a second consumer) waits in a queue that is looked at when nothing else is ready. A splittable source that defers its
remainder is always ready, so that everything behind a `Flatten` appears when the source ends: never, live, and all at
once, in memory, in a long replay. The same goes for event-time timers there.

Here such input is put in front of the queue by the bundle that made it. That is right only where no stage needs all of
its input: a graph with a `GroupByKey` (also within `Reshuffle`, or `Create` of several values) or a side input runs as
Beam would run it.

Timers of the source's own stage would fire in the bundle in which the source reads on. Where one timer sets the next,
what was read first could so be overtaken by what is read later. Here the rest of the source waits for them.
"""

import logging
from typing import Any

from apache_beam.runners.portability.fn_api_runner import fn_runner, translations
from apache_beam.runners.worker import bundle_processor

from newsbeam.pipeline.runners.running_metrics import RunningTotals

_log = logging.getLogger(__name__)


class FlowingRunner(fn_runner.FnApiRunner):
    """`FnApiRunner` that works off what a bundle has made before it reads on, and adds up what bundles report."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.totals = RunningTotals()

    def run_stages(self, stage_context: Any, stages: Any) -> Any:
        waits = sorted({stage.name for stage in stages if _needs_all_input(stage)})
        self._flows = not waits
        self._rests: dict[str, tuple[Any, dict[Any, Any]]] = {}
        if waits:
            _log.warning("these stages wait for the end of their input, and so will all: %s", ", ".join(waits))
        return super().run_stages(stage_context, stages)

    def _run_bundle(self, *arguments: Any) -> Any:
        last, rest, timers, watermarks = super()._run_bundle(*arguments)
        if not self._flows:
            return last, rest, timers, watermarks
        bundle_context_manager = arguments[1]
        stage = bundle_context_manager.stage.name
        if rest:
            transforms = bundle_context_manager.process_bundle_descriptor.transforms
            unread = [transforms[name].outputs["out"] for name in rest]
            self._rests[stage] = rest, {name: watermarks[name] for name in unread if name in watermarks}
        if stage in self._rests:
            rest, held_back = self._rests[stage]
            watermarks.update(held_back)
            if timers:
                return last, {}, timers, watermarks
            del self._rests[stage]
        return last, rest, timers, watermarks

    def _execute_bundle(self, runner_execution_context: Any, bundle_context_manager: Any, bundle_input: Any) -> Any:
        result = super()._execute_bundle(runner_execution_context, bundle_context_manager, bundle_input)
        self.totals.add(result.process_bundle.monitoring_infos)
        if self._flows:
            _work_off_first(runner_execution_context.queues)
        return result


def _needs_all_input(stage: Any) -> bool:
    """Whether a stage reads grouped elements or a side input."""
    return any(stage.side_inputs()) or any(
        transform.spec.urn == bundle_processor.DATA_INPUT_URN
        and transform.spec.payload != translations.IMPULSE_BUFFER
        and translations.split_buffer_id(transform.spec.payload)[0] == "group"
        for transform in stage.transforms
    )


def _work_off_first(queues: Any) -> None:
    """Puts what waits for the watermark in front of what is ready. Empty input goes on waiting for the end."""
    waiting = []
    while len(queues.watermark_pending_inputs):
        (stage, when), inputs = queues.watermark_pending_inputs.deque()
        if inputs.timers or any(len(list(buffer)) for buffer in inputs.data.values()):
            _put_in_front(queues.ready_inputs, stage, inputs)
        else:
            waiting.append(((stage, when), inputs))
    for item in waiting:
        queues.watermark_pending_inputs.enque(item)


def _put_in_front(ready: Any, stage: str, inputs: Any) -> None:
    if stage in ready._keyed_elements:
        ready.enque((stage, inputs))  # joins what is there for the same stage
    else:
        ready._keyed_elements[stage] = (stage, inputs)
        ready._q.append((stage, inputs))  # the end that `deque` takes from
