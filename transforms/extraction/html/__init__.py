"""The article of an HTML page."""
