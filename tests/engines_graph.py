"""Builds the job graph as Dataflow would get it and prints it: names, kinds and coders, and what it holds of a machine.

Usage: python tests/engines_graph.py SINK…
"""

import json
import sys
from dataclasses import replace

import apache_beam as beam
from apache_beam.coders import coders
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.transforms import environments

from pipeline import build
from pipeline.config import default_config
from transforms.reading.read import Plan


def graph(sinks: list[str]) -> beam_runner_api_pb2.Pipeline:
    """The replay's graph, for workers in a container."""
    options = PipelineOptions(["--streaming", "--runner=DataflowRunner"])
    pipeline = beam.Pipeline(runner="FnApiRunner", options=options)
    config = replace(default_config(), sinks=tuple(sinks), ledger="/srv/newsbeam/ledger.db")
    build.replay(pipeline, Plan("/srv/newsbeam/plan.db", 100), config, "a-run")
    image = environments.DockerEnvironment.from_container_image("newsbeam/worker:1")
    return pipeline.to_runner_api(default_environment=image)


def coder(proto: beam_runner_api_pb2.Pipeline, name: str) -> list[object]:
    """A coder by what it is, not by its number."""
    found = proto.components.coders[name]
    payload = found.spec.payload.decode("latin-1")
    if found.spec.urn.startswith("beam:coder:pickled"):
        payload = str(type(coders.deserialize_coder(found.spec.payload)))
    return [found.spec.urn, payload, *(coder(proto, component) for component in found.component_coder_ids)]


def described(proto: beam_runner_api_pb2.Pipeline) -> dict[str, object]:
    """Each step by its full name: what it is, and the coders of what it gives."""
    steps = {}
    for transform in proto.components.transforms.values():
        outputs = {
            tag: coder(proto, proto.components.pcollections[pcollection].coder_id)
            for tag, pcollection in transform.outputs.items()
        }
        steps[transform.unique_name] = [transform.spec.urn, outputs]
    return steps


if __name__ == "__main__":
    built = graph(sys.argv[1:])
    texts = sorted({str(t.spec.payload) for t in built.components.transforms.values() if t.spec.payload})
    json.dump({"steps": described(built), "payloads": texts}, sys.stdout, sort_keys=True)
