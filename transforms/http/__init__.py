"""Polite and safe HTTP: addresses that may be asked, how often, how much is read, and what a site allows."""
