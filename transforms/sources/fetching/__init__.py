"""Fetches the page behind each entry."""
