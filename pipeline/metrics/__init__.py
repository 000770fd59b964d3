"""What a run does, in numbers."""
