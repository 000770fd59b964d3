"""One module a group of the conformance suite; each has `run(folder) -> GroupResult`."""
