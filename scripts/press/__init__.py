"""A press of one's own: stories that never happened, outlets that print them, and a site that serves them."""
