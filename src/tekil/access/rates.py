"""How often somebody may ask: a token bucket each (Turner 1986, "leaky bucket as a meter")."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

KEPT = 20_000
"""Callers remembered at once. Whoever has not asked for longest is forgotten first, and begins anew."""

BURST_SECONDS = 2.0
"""What a caller that was quiet may ask for at once, in seconds of its rate."""


class Rates:
    """Counts what callers ask for. Safe for many threads."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        burst: float | None = None,
    ) -> None:
        """Take how many requests a second each caller may make, for ever; 0 is as many as it likes.

        `burst` is how many one that was quiet may make at once.
        """
        self.per_second = per_second
        self._burst = max(1.0, per_second * BURST_SECONDS if burst is None else burst)
        self._clock = clock
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count a request; return 0, or in how many seconds the caller may make this request again."""
        if not self.per_second:
            return 0.0
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(caller, (self._burst, now))
            left = min(self._burst, left + (now - at) * self.per_second)
            wait = 0.0 if left >= 1 else (1 - left) / self.per_second
            self._left[caller] = (left if wait else left - 1, now)
            if len(self._left) > KEPT:
                self._left.popitem(last=False)
        return wait
