"""Asking every check, and remembering the answers for a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tekil.config import Config
from tekil.privacy import Vault
from tekil.readiness.checks import CHECKS
from tekil.readiness.model import Answer, Check, State
from tekil.readiness.sight import Sight, door_answers
from tekil.readiness.trail import TrailWatch
from tekil.reads import Reads
from tekil.store import Store

KEPT = timedelta(seconds=60)
"""How long an answer counts: the checks look through a month of traffic."""


@dataclass(frozen=True, slots=True)
class Measured:
    """All answers, as of an instant (UTC, without a zone)."""

    at: datetime
    answers: tuple[Answer, ...]

    def count(self, state: State) -> int:
        """Return how many checks are in a state."""
        return sum(answer.state == state for answer in self.answers)


def utc_now() -> datetime:
    """Return this instant, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Measuring:
    """Measures an installation's readiness. Safe for many threads."""

    def __init__(
        self,
        reads: Reads,
        store: Store,
        config: Config,
        vault: Vault,
        scraped_at: Callable[[], datetime | None],
        *,
        checks: Sequence[Check] = CHECKS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take what is looked at; `scraped_at` says when somebody last read `/metrics`."""
        self._reads, self._store, self._config, self._vault = reads, store, config, vault
        self._scraped_at, self._checks, self._clock = scraped_at, tuple(checks), clock
        self._trail = TrailWatch(store.audit)
        self._lock = threading.Lock()
        self._last: Measured | None = None

    def measure(self, *, anew: bool = False) -> Measured:
        """Return all answers: those of a moment ago, unless they are wanted `anew`."""
        with self._lock:
            now = self._clock()
            if self._last is None or anew or now - self._last.at >= KEPT:
                sight = self._sight(now)
                self._last = Measured(now, tuple(Answer(c, tuple(c.look(sight))) for c in self._checks))
            return self._last

    def _sight(self, now: datetime) -> Sight:
        return Sight(
            self._reads,
            self._store,
            self._config,
            self._vault,
            now,
            self._scraped_at(),
            lambda: self._trail.look(now),
            lambda: door_answers(self._config.collect),
        )
