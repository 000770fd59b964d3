"""How a request fails."""

from newsbeam.transforms.model.errors import Rejected


class FetchFailed(Rejected):
    """No usable response. The reason is one of `timeout`, `dns`, `connect`, `tls`, `bad_response`, `truncated`,
    `too_large`, `bad_encoding`, `too_many_redirects`, `blocked_url`, `blocked_address`.

    Attributes:
        lasting: asking again will not help.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.lasting = reason in ("blocked_url", "blocked_address", "too_large", "bad_encoding", "too_many_redirects")
