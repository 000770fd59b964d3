"""The article of a page as plain text."""
