"""What a process has built for a shard is used again only while the durable state is the one it was built from."""

from newsbeam.transforms.runtime.process_cache import ProcessCache, clear_process_caches


def test_a_value_is_found_again_for_its_own_stage_shard_and_state() -> None:
    cache: ProcessCache[str] = ProcessCache()
    cache.put("stage", 1, "value", b"state")
    assert cache.get("stage", 1, b"state") == "value"
    assert cache.get("stage", 2, b"state") is None
    assert cache.get("other", 1, b"state") is None


def test_a_value_of_another_state_is_closed_and_gone() -> None:
    closed: list[str] = []
    cache: ProcessCache[str] = ProcessCache(close=closed.append)
    cache.put("stage", 1, "value", b"before")
    assert cache.get("stage", 1, b"after a failure") is None
    assert closed == ["value"]
    assert cache.get("stage", 1, b"before") is None


def test_a_value_that_was_taken_out_is_nobody_elses() -> None:
    closed: list[str] = []
    cache: ProcessCache[str] = ProcessCache(close=closed.append)
    cache.put("stage", 1, "value")
    assert cache.take("stage", 1) == "value"
    assert cache.take("stage", 1) is None
    assert closed == []


def test_clearing_closes_the_values_of_one_stage_or_of_all() -> None:
    closed: list[str] = []
    cache: ProcessCache[str] = ProcessCache(close=closed.append)
    for stage in "ab":
        cache.put(stage, 1, stage)
    cache.clear("a")
    assert closed == ["a"]
    clear_process_caches()
    assert closed == ["a", "b"]
