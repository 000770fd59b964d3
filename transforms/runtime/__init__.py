"""What carries the stages: shards, dead letters, measures, the coder of records, the sandbox."""
