"""Which inputs were discovered and how each one ended."""
