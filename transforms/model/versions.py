"""The versions of what an extraction depends on, for the record: the same page may give another text under others."""

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("newsbeam", "lxml", "trafilatura", "resiliparse")


@lru_cache(maxsize=1)
def versions() -> str:
    """`newsbeam/0.1.0 lxml/6.0.2 …`, as in a User-Agent; what is not installed as a package is left out."""
    return " ".join(f"{name}/{found}" for name in _PACKAGES if (found := _version(name)))


def with_versions(extractor: str) -> str:
    """`blocks (newsbeam/0.1.0 …)`."""
    return f"{extractor} ({versions()})"


def kind_of(extractor: str) -> str:
    """What `with_versions` was given: the way in which an article was extracted."""
    return extractor.partition(" (")[0]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
