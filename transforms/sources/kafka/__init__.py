"""Pages and addresses that others push onto a topic, as a source of live runs."""
