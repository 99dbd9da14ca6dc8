"""How often somebody may try to sign in."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

WINDOW_SECONDS = 300.0
FAILURES_MAX = 8
REMEMBERED_MAX = 10_000


class Limiter:
    """Counts failures by whoever made them, in memory. Safe for many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the clock, in seconds."""
        self._clock = clock
        self._lock = Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, who: str) -> float:
        """Return how many seconds `who` must wait before trying again, 0 where they need not."""
        with self._lock:
            times = self._recent(who)
            if times is None or len(times) < FAILURES_MAX:
                return 0.0
            return times[0] + WINDOW_SECONDS - self._clock()

    def fail(self, who: str) -> None:
        """Note a failure. The oldest names are forgotten where there are too many."""
        with self._lock:
            times = self._recent(who) or self._failures.setdefault(who, deque(maxlen=FAILURES_MAX))
            times.append(self._clock())
            self._failures.move_to_end(who)
            while len(self._failures) > REMEMBERED_MAX:
                self._failures.popitem(last=False)

    def succeed(self, who: str) -> None:
        """Forget somebody's failures."""
        with self._lock:
            self._failures.pop(who, None)

    def _recent(self, who: str) -> deque[float] | None:
        times = self._failures.get(who)
        while times and times[0] <= self._clock() - WINDOW_SECONDS:
            times.popleft()
        return times
