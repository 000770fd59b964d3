"""Builds the job graph as Dataflow would get it and prints it: names, kinds and coders, and what it holds of a machine.

Usage: python -m tests.support.engines_graph replay|live SINK…

With `newsbeam[gcp]` installed DataflowRunner itself builds it, and stops before it is submitted (`--dry_run`).
"""

import hashlib
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import apache_beam as beam
from apache_beam.coders import coders
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.transforms import environments

from newsbeam.pipeline import build
from newsbeam.pipeline.config.beam_options import pipeline_options
from newsbeam.pipeline.config.config import SourceSettings, default_config
from newsbeam.transforms.model.address import Address
from newsbeam.transforms.sources.files.read import Plan
from newsbeam.transforms.sources.ticks import TickPlan

IMAGE = "region-docker.pkg.dev/project/newsbeam/worker:1"
SOURCES = (
    SourceSettings(Address("https://example.org/feed.xml"), outlet="Example"),
    SourceSettings(Address("kafka://broker:9092/pushed?sasl.username=u")),
)


def options() -> PipelineOptions:
    """The options of `newsbeam … --runner=DataflowRunner …`."""
    return pipeline_options(
        [
            *("--streaming", "--runner=DataflowRunner", "--project=project", "--region=europe-west1", "--no_auth"),
            *("--temp_location=gs://bucket/temp", "--staging_location=gs://bucket/staging", "--dry_run=True"),
            *(f"--sdk_container_image={IMAGE}", "--sdk_location=container", "--job_name=newsbeam"),
        ]
    )[1]


def graph(command: str, sinks: Sequence[str]) -> beam_runner_api_pb2.Pipeline:
    """The graph for workers in a container."""
    config = replace(default_config(), sinks=tuple(sinks), contact="https://example.org/about")
    by_dataflow = importlib.util.find_spec("apitools") is not None
    pipeline = beam.Pipeline(runner="DataflowRunner" if by_dataflow else PortableRunner(), options=options())
    if command == "live":
        build.live(pipeline, TickPlan(), replace(config, sources=SOURCES), "a-run")
    else:
        plan = Plan("/srv/newsbeam/plan.db", 100)
        build.replay(pipeline, plan, replace(config, ledger="/srv/newsbeam/ledger.db"), "a-run")
    if by_dataflow:
        proto: beam_runner_api_pb2.Pipeline = pipeline.run().job.proto_pipeline
        return proto
    image = environments.DockerEnvironment.from_container_image(IMAGE)
    return pipeline.to_runner_api(default_environment=image)


def coder(proto: beam_runner_api_pb2.Pipeline, name: str) -> list[object]:
    """Describes a coder by its kind, not by its number."""
    proto_coder = proto.components.coders[name]
    payload = proto_coder.spec.payload.decode("latin-1")
    if proto_coder.spec.urn.startswith("beam:coder:pickled"):
        known = coders.deserialize_coder(proto_coder.spec.payload)
        payload = (
            f"{type(known)} {getattr(known, '_record', '')} {hashlib.sha256(proto_coder.spec.payload).hexdigest()}"
        )
    return [proto_coder.spec.urn, payload, *(coder(proto, component) for component in proto_coder.component_coder_ids)]


def described(proto: beam_runner_api_pb2.Pipeline) -> dict[str, object]:
    """Describes each step under its full name: its kind, and the coders of its outputs."""
    steps = {}
    for transform in proto.components.transforms.values():
        outputs = {
            tag: coder(proto, proto.components.pcollections[pcollection].coder_id)
            for tag, pcollection in transform.outputs.items()
        }
        steps[transform.unique_name] = [transform.spec.urn, outputs]
    return steps


if __name__ == "__main__":
    built = graph(sys.argv[1], sys.argv[2:])
    texts = sorted({str(t.spec.payload) for t in built.components.transforms.values() if t.spec.payload})
    images = sorted({str(e.payload) for e in built.components.environments.values()})
    artifacts = sorted(str(d.role_payload) for e in built.components.environments.values() for d in e.dependencies)
    json.dump(
        {"steps": described(built), "payloads": texts, "images": images, "artifacts": artifacts},
        sys.stdout,
        sort_keys=True,
    )
