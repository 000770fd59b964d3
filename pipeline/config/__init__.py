"""What a user sets."""
