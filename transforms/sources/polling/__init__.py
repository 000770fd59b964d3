"""Polls feeds when they are due."""
