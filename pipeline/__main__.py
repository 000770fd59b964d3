"""`python -m pipeline` is `newsbeam`."""

import sys

from pipeline.cli import main

sys.exit(main())
