"""From a URL to a log."""

from __future__ import annotations

from pathlib import Path

from tekil.errors import Misconfigured
from tekil.log.protocol import Cipher, Log
from tekil.log.sqlite import SqliteLog


def open_log(url: str, cipher: Cipher | None = None) -> Log:
    """Open the log that `url` names: `sqlite:////absolute/path`. Raises `Misconfigured` for any other.

    With a `cipher`, bodies lie encrypted on disk; without one they are appended as they are, and those that
    are encrypted cannot be read.
    """
    if url.startswith("sqlite:///"):
        return SqliteLog(Path(url.removeprefix("sqlite:///")), cipher)
    raise Misconfigured(
        f"log.url {url!r} names no log this version can open; write sqlite:///data/log.db.",
        code="log_url_unknown",
    )
