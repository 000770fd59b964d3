"""Converts articles to other formats."""
