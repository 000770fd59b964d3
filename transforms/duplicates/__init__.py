"""Copies and revisions: found in the stream, the same for any order of arrival."""

from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.duplicates import HOPS, MarkDuplicates

__all__ = ["HOPS", "DuplicatesConfig", "MarkDuplicates"]
