"""What crosses stages: records, their identity and order, their form as JSON, and the errors."""
