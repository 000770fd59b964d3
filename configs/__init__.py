"""The configurations that are installed with newsbeam: defaults, examples, numbers of politeness."""
