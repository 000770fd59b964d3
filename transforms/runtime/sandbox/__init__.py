"""Runs functions on hostile input in processes that can be killed."""
