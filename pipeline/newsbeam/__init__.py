"""newsbeam: streaming ingestion of live news on Apache Beam.

This folder is what `import newsbeam` gives. `setup.py` installs it as the package `newsbeam`, with `pipeline/`,
`transforms/` and `configs/` of the repository inside it as `newsbeam.pipeline`, `newsbeam.transforms` and
`newsbeam.configs`.
"""

__version__ = "0.1.0"
