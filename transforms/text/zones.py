"""Time zones as dates name them: offsets, and the abbreviations that mean one zone in news."""

import re
from typing import Optional

# RFC 5322, section 4.3, names UT, GMT and the American ones; the others are not used for two zones in news. IST is left
# out: India, Israel and Ireland have one each.
_ABBREVIATIONS = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "est": -300, "edt": -240, "cst": -360, "cdt": -300, "mst": -420,
    "mdt": -360, "pst": -480, "pdt": -420, "akst": -540, "akdt": -480, "hst": -600, "west": 60, "bst": 60, "cet": 60,
    "mez": 60, "cest": 120, "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "мск": 180, "wib": 420, "hkt": 480,
    "sgt": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
}  # fmt: skip
_OFFSET = re.compile(r"(?:gmt|utc)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")
_FURTHEST = 14 * 60
"""Minutes from UTC of the furthest zone in use (Kiribati, UTC+14); what says more is a mistake."""


def zone_offset(zone: Optional[str]) -> Optional[int]:
    """Minutes east of UTC of `+02:00`, `-0500`, `GMT+2`, `CEST`; None where it is absent, unknown or ambiguous."""
    if not zone:
        return None
    zone = zone.strip().lower()
    if zone in _ABBREVIATIONS:
        return _ABBREVIATIONS[zone]
    match = _OFFSET.fullmatch(zone)
    if not match:
        return None
    minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
    if minutes > _FURTHEST:
        return None
    return minutes if match["sign"] == "+" else -minutes
