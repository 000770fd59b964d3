"""One module for each group of the conformance suite; each has `run(folder) -> GroupResult`."""
