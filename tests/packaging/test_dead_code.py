"""No function, class or method is left that nobody calls; what somebody else calls by name is listed with who does."""

import re
import subprocess
import sys

from tests.support.places import ROOT

CODE = ("transforms", "pipeline", "scripts", "deploy")
CALLED_BY_NAME = {
    "Beam, of a DoFn": {"process", "setup", "teardown", "start_bundle", "finish_bundle"},
    "Beam, of a PTransform": {"expand"},
    "Beam, of a RestrictionProvider": {"initial_restriction", "create_tracker", "restriction_size"},
    "Beam, of a coder": {"_create_impl", "is_deterministic", "to_type_hint", "from_type_hint"},
    "Beam YAML, of its providers": {"ExtractNews", "WriteDeadLetters"},
    "langdetect, of its detector": {"_create_detector", "_extract_ngrams", "_update_lang_prob", "_normalize_prob"},
    "http.server and asyncio, of handlers and protocols": {"do_GET", "log_message", "connection_made", "data_received"},
    "Python, of a module (PEP 562)": {"__getattr__", "__dir__"},
    "the nursery, in the line of Python that starts it": {"nurse"},
}
FOUND = re.compile(r"^(\S+?):\d+: unused (function|class|method|property|import) '(\w+)'")


def unused() -> dict[str, str]:
    """Name -> file, of what vulture finds no use of."""
    command = [sys.executable, "-m", "vulture", *CODE, "--min-confidence", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    matches = filter(None, map(FOUND.match, done.stdout.splitlines()))
    return {match[3]: match[1] for match in matches}


def test_nothing_is_left_that_nobody_calls() -> None:
    called = set().union(*CALLED_BY_NAME.values())
    assert {name: file for name, file in unused().items() if name not in called} == {}
