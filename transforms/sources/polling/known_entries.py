"""What a feed has brought before, packed: 16 bytes a key, newest first, those long gone forgotten."""

from collections.abc import Mapping, Sequence

_PAIR = 16
_KEPT_BEYOND = 1_000
"""Keys that are kept although they are in the document no more: an entry that comes back is not news."""


def unpack_known(packed: bytes) -> dict[str, str]:
    """Key to content hash, both 16 hex digits, newest first."""
    return {packed[at : at + 8].hex(): packed[at + 8 : at + _PAIR].hex() for at in range(0, len(packed) - 15, _PAIR)}


def merged_known(known: Mapping[str, str], remember: Mapping[str, str], present: Sequence[str]) -> bytes:
    """What is known after a poll.

    Args:
        known: before it, newest first.
        remember: key to content hash, of what is new or changed.
        present: keys of all entries in the document: these stay, of the others the newest thousand.
    """
    here = set(present)
    kept = {key: remember.get(key) or known.get(key, "") for key in present}
    kept |= {key: value for key, value in remember.items() if key not in here}
    gone = [(key, value) for key, value in known.items() if key not in kept]
    pairs = [*((key, value) for key, value in kept.items() if value), *gone[:_KEPT_BEYOND]]
    return b"".join(bytes.fromhex(key) + bytes.fromhex(value) for key, value in pairs)
