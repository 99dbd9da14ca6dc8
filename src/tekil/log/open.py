"""From a URL to a log."""

from __future__ import annotations

from pathlib import Path

from tekil.errors import Misconfigured
from tekil.log.protocol import Log
from tekil.log.sqlite import SqliteLog


def open_log(url: str) -> Log:
    """Open the log that `url` names: `sqlite:////absolute/path`. Raises `Misconfigured` for any other."""
    if url.startswith("sqlite:///"):
        return SqliteLog(Path(url.removeprefix("sqlite:///")))
    raise Misconfigured(
        f"log.url {url!r} names no log this version can open; write sqlite:///data/log.db.",
        code="log_url_unknown",
    )
