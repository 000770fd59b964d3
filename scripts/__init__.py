"""Programs of the project that are not installed: benchmarks, evaluation, training, conformance, a made-up newsroom."""
