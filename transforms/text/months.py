"""Names of months in the languages of `months.tsv`, whole or cut short."""

from functools import lru_cache
from pathlib import Path


def month_number(name: str) -> int:
    """The number of a month, 1 to 12; 0, which no date has, for any other word."""
    return _months().get(_caseless(name), 0)


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for line in (Path(__file__).parent / "months.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            for month, forms in enumerate(line.split("\t")[1:], start=1):
                for form in forms.split("|"):
                    # Languages agree but for hr and cs `listopad`/`srpen`; the first to name a month keeps it.
                    names.setdefault(_caseless(form), month)
    return names


def _caseless(name: str) -> str:
    """A name as it is looked up; the capitals of `kasım` and `haziran` are `KASIM` and `HAZİRAN`."""
    return name.casefold().replace("i\u0307", "i").replace("ı", "i")
