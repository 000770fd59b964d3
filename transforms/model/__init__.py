"""The records that stages hand on: their identity, their order, their form as JSON; and the errors."""
