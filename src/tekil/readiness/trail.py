"""The audit trail, verified again and again: all of it now and then, what is new each time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import msgspec

from tekil.access.audit import BEGINNING, Head, Misfit, verify
from tekil.store import Audit

WHOLE_EVERY = timedelta(hours=1)
"""How often the trail is walked from its beginning: what was verified once may be changed afterwards."""


class Trail(msgspec.Struct, frozen=True):
    """How many entries fit each other, when that was found (UTC), and the first that does not fit."""

    entries: int
    verified_at: datetime
    misfit: Misfit | None


class TrailWatch:
    """Verifies the trail of a store. Safe for many threads."""

    def __init__(self, audit: Audit) -> None:
        """Take the trail."""
        self._audit = audit
        self._lock = threading.Lock()
        self._verified = BEGINNING
        self._whole_at: datetime | None = None

    def look(self, now: datetime) -> Trail:
        """Return what the trail is like at an instant."""
        with self._lock:
            if self._whole_at is None or now - self._whole_at >= WHOLE_EVERY:
                self._verified, self._whole_at = BEGINNING, now
            head = self._audit.head()
            misfit = self._misfit(head)
            if misfit is not None:
                # Whatever is wrong is looked for from the beginning each time, until it is right.
                self._whole_at = None
                return Trail(misfit.number - 1, now, misfit)
            self._verified = head
            return Trail(head.number, now, None)

    def _misfit(self, head: Head) -> Misfit | None:
        # What is appended while we walk is not ours to judge: the walk ends at the head.
        entries = (e for e in self._audit.entries(self._verified.number or None) if e.number <= head.number)
        return verify(entries, head, after=self._verified)
