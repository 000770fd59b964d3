"""Programs that are not installed: benchmarks, evaluation, training, the conformance suite, and a newsroom to test
against."""
