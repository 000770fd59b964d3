"""Stories: one event, told by several outlets. `stories` is the stage, `terms` is for the sandbox too."""
