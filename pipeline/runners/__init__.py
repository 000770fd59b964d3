"""The local engines: Beam's FnApiRunner, with what it gets wrong put right."""
