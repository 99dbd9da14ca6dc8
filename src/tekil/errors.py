"""The error tree. Every error a person can meet is a `TekilError` with a code that never changes.

    TekilError                    500  internal
    ├── Refused                   4xx  what was asked cannot be done; asking again changes nothing
    │   ├── BadRequest            400
    │   ├── Unauthorised          401
    │   ├── Forbidden             403
    │   ├── NotFound              404
    │   ├── Timeout               408
    │   ├── TooLarge              413
    │   └── Misconfigured         500  tekil.toml or the environment is wrong
    └── Unavailable               503  something of ours is down; ask again later

`code` is for programs, the text is for people: what happened, where, and what to do next.
"""

from __future__ import annotations


class TekilError(Exception):
    """Root of the tree. `code` is stable; `http_status` and `retryable` say what a client should do.

    What is retryable may be asked again after `retry_seconds`.
    """

    code = "internal"
    http_status = 500
    retryable = False
    retry_seconds = 2.0

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Take the sentence shown to a person, and a narrower code where the class's is too wide."""
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class Refused(TekilError):
    """The request can never succeed as it is."""

    code = "refused"
    http_status = 400


class BadRequest(Refused):
    """The request is not what the spec says it should be."""

    code = "bad_request"


class Unauthorised(Refused):
    """Nobody we know is asking."""

    code = "unauthorised"
    http_status = 401


class Forbidden(Refused):
    """We know who is asking, and they may not."""

    code = "forbidden"
    http_status = 403


class NotFound(Refused):
    """There is no such thing here."""

    code = "not_found"
    http_status = 404


class Timeout(Refused):
    """The client took too long to say what it wanted."""

    code = "timeout"
    http_status = 408


class Busy(Refused):
    """The same is being done already; what was asked for is not done a second time."""

    code = "busy"
    http_status = 409


class TooLarge(Refused):
    """The request is over a limit that the documentation states."""

    code = "too_large"
    http_status = 413


class TooMany(Refused):
    """The client asks more often than it may; nothing was done."""

    code = "too_many_requests"
    http_status = 429
    retryable = True

    def __init__(self, message: str, retry_seconds: float) -> None:
        """Take what to tell, and when to ask again."""
        super().__init__(message)
        self.retry_seconds = retry_seconds


class Misconfigured(Refused):
    """tekil.toml, a definition or the environment is wrong; the text names the place."""

    code = "misconfigured"
    http_status = 500


class Unavailable(TekilError):
    """Something of ours is down or busy. Nothing was kept; asking again later is right."""

    code = "unavailable"
    http_status = 503
    retryable = True
