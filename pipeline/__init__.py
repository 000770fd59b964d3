"""Wiring: configuration, the command line, and the construction of pipelines. Nothing here runs on a worker."""
