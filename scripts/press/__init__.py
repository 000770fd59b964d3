"""A simulated press: invented stories, outlets that print them, and a site that serves them."""
