"""Articles in the formats of others."""
