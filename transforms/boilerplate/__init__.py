"""What is not the article leaves its text, and stays on record with the rule that took it."""
