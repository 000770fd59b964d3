"""Copies and revisions: found in the stream, the same for any order of arrival."""

from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.duplicates import MarkDuplicates
from newsbeam.transforms.duplicates.explain import Explanation, explain_pair

__all__ = ["DuplicatesConfig", "Explanation", "MarkDuplicates", "explain_pair"]
