"""Bytes of the erased leave a large warehouse file at night, by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tekil.engine import utc_now
from tekil.erasure.eraser import Eraser

NIGHT_HOURS = range(2, 5)
"""Hours of the local clock in which a file is written anew, for which loading waits: a minute, or some."""

PATIENCE = timedelta(days=1)
"""How long bytes wait for a night; an installation that is off at night sweeps by day then."""

LOOK = timedelta(minutes=10)
"""How often it is looked whether there is something to sweep, which reads the proofs of erasures."""


class Sweeping:
    """A chore of the engine's. `step` runs on its thread, between two cycles, when nothing waits."""

    def __init__(self, eraser: Eraser, timezone: str, clock: Callable[[], datetime] = utc_now) -> None:
        """Take what erases, the workspace's time zone, and a clock (UTC without a zone)."""
        self._eraser, self._zone, self._clock = eraser, ZoneInfo(timezone), clock
        self._next_look = datetime.min

    def step(self) -> bool:
        """Sweep where it is time to; return whether the file was written anew."""
        now = self._clock()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK
        since = self._eraser.unswept_since()
        if since is None or not (self._is_night(now) or now - since > PATIENCE):
            return False
        if not self._eraser.sweep():
            # This engine's files are for its own server to clean.
            self._next_look = datetime.max
            return False
        return True

    def _is_night(self, now: datetime) -> bool:
        return now.replace(tzinfo=UTC).astimezone(self._zone).hour in NIGHT_HOURS
