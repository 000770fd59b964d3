"""The politeness numbers, as `configs/policy.yaml` has them with their sources."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar


@dataclass(frozen=True)
class SchedulePolicy:
    """When a feed is polled. Times are seconds; `configs/policy.yaml` says where each number comes from."""

    min_interval_s: float
    default_interval_s: float
    max_interval_s: float
    grow: float
    shrink: float
    jitter: float
    bound_jitter: float
    retry_after_cap_s: float
    throttled_s: float
    refused_s: float
    backoff_first_s: float
    backoff_factor: float
    unconditional_every_s: float
    catch_up_per_s: float


@dataclass(frozen=True)
class FetchPolicy:
    """How one request is made. Times are seconds, sizes bytes."""

    per_host: int
    min_delay_s: float
    per_address: int
    concurrency: int
    crawl_delay_cap_s: float
    connect_timeout_s: float
    total_deadline_s: float
    max_body_bytes: int
    max_redirects: int
    max_header_bytes: int
    dns_ttl_s: float
    robots_ttl_s: float
    robots_retry_s: float
    robots_max_bytes: int
    robots_max_redirects: int
    attempts: int
    retry_first_s: float
    retry_factor: float


@dataclass(frozen=True)
class Policy:
    """All politeness numbers."""

    schedule: SchedulePolicy
    fetch: FetchPolicy


P = TypeVar("P", SchedulePolicy, FetchPolicy)


def _section(kind: type[P], name: str, values: object) -> P:
    if not isinstance(values, Mapping):
        raise ValueError(f"policy: `{name}` must be a list of `name: number`, it is {values!r}")
    expected = {field.name: field.type for field in fields(kind)}
    wrong = [f"`{name}.{key}` is no setting" for key in sorted(set(values) - set(expected), key=str)]
    wrong += [f"`{name}.{key}` is missing" for key in sorted(set(expected) - set(values))]
    for key in expected:
        value = values.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            wrong.append(f"`{name}.{key}` must be a number of at least 0, it is {value!r}")
    if wrong:
        raise ValueError("policy: " + "; ".join(wrong))
    numbers: dict[str, Any] = {key: (int if as_ is int else float)(values[key]) for key, as_ in expected.items()}
    return kind(**numbers)


def policy_from(mapping: Mapping[str, object]) -> Policy:
    """The policy that a parsed `policy.yaml` describes.

    Raises:
        ValueError: names every setting that is missing, unknown or no number.
    """
    return Policy(
        _section(SchedulePolicy, "schedule", mapping.get("schedule")),
        _section(FetchPolicy, "fetch", mapping.get("fetch")),
    )
