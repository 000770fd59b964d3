"""Health check of the container: exits 0 if the run answers for its metrics and feeds were polled, 1 if not.

    python health.py [http://127.0.0.1:9100/metrics]

Feeds that fail are no reason to restart the run: they are an alert (`deploy/prometheus/alerts.yaml`).
"""

import re
import sys
import urllib.request

URL = "http://127.0.0.1:9100/metrics"
TIMEOUT_S = 8.0


def trouble(text: str) -> str:
    """What is wrong with a run that serves these metrics; empty if nothing is."""
    polls = re.search(r"^newsbeam_polls_total (\S+)$", text, re.MULTILINE)
    if polls is None:
        return "the metrics do not say how many polls there were"
    return "" if float(polls[1]) > 0 else "no feed has been polled yet"


def main(arguments: list[str]) -> int:
    url = arguments[0] if arguments else URL
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - an address of this machine
            said = trouble(answer.read().decode())
    except OSError as error:
        said = f"{url} does not answer: {error}"
    print(said or "healthy")  # noqa: T201 - Docker keeps what a health check prints
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
