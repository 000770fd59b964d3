"""`python -m newsbeam` is the command `newsbeam`."""

import sys

from newsbeam.pipeline.cli.main import main

sys.exit(main())
