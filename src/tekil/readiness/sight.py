"""What checks can look at: the reads, the store, the settings, and what this process notes about itself."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import msgspec

from tekil.config import Collect, Config
from tekil.dictionary import Dictionary
from tekil.privacy import Vault
from tekil.readiness.trail import Trail
from tekil.reads import Reads
from tekil.store import Store

DAYS = 30
"""How far back the traffic is looked at."""

DOOR_SECONDS = 1.0


class Traffic(msgspec.Struct, frozen=True):
    """What a source said lately: a type of message, the event or object it named, how often, and when."""

    source: str
    type: str
    name: str
    messages: int
    last: datetime


@dataclass(frozen=True)
class Sight:
    """One look at an installation, at an instant `now` (UTC, without a zone).

    `scraped_at` is when somebody last read `/metrics`, of this process's life.
    """

    reads: Reads
    store: Store
    config: Config
    vault: Vault
    now: datetime
    scraped_at: datetime | None
    trail: Callable[[], Trail]
    door: Callable[[], bool]

    @cached_property
    def traffic(self) -> list[Traffic]:
        """What was received in the last `DAYS`, the most frequent first."""
        since = (self.now - timedelta(days=DAYS)).isoformat(sep=" ", timespec="seconds")
        rows = self.reads.sql(
            "SELECT source, type, coalesce(event, '') AS name, count(*) AS messages, max(received_at) AS last"
            f" FROM events WHERE received_at >= TIMESTAMP '{since}'"
            " GROUP BY source, type, coalesce(event, '')"
            " UNION ALL "
            "SELECT source, 'record' AS type, object AS name, count(*) AS messages, max(received_at) AS last"
            f" FROM record_changes WHERE received_at >= TIMESTAMP '{since}' GROUP BY source, object"
            " ORDER BY messages DESC, source, name"
        ).to_pylist()
        return [Traffic(r["source"], r["type"], r["name"], int(r["messages"]), r["last"]) for r in rows]

    @cached_property
    def dictionary(self) -> Dictionary:
        """The dictionary in force."""
        return Dictionary.read(self.store.definitions)

    def ago(self, **span: float) -> int:
        """Return the instant so long ago, in microseconds since the epoch."""
        return int((self.now.replace(tzinfo=UTC) - timedelta(**span)).timestamp()) * 1_000_000


def door_answers(settings: Collect) -> bool:
    """Return whether the door on this machine says that it lives."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host
    connection = http.client.HTTPConnection(host, settings.port, timeout=DOOR_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
