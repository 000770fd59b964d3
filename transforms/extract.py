"""Pages become articles, each in a process that can be killed: a hostile page costs itself, not the stream."""

import json
from dataclasses import dataclass, replace
from typing import Any
