"""Which colour a source has on every page."""

from __future__ import annotations

import time
from threading import Lock

from tekil.console.drawings import HUES, hue
from tekil.store import Store

LOOK_EVERY_SECONDS = 1.0


class Hues:
    """Gives sources the stylesheet's colours in the order they were made, so that the first ones all differ.

    Safe for many threads.
    """

    def __init__(self, store: Store) -> None:
        """Take the store that knows the sources."""
        self._store = store
        self._lock = Lock()
        self._known: dict[str, int] = {}
        self._look_again = 0.0

    def __call__(self, source: str) -> int:
        """Return a source's colour; one that the store does not know gets the colour of its name."""
        with self._lock:
            if source not in self._known and time.monotonic() >= self._look_again:
                made = sorted(self._store.keys.sources(), key=lambda known: (known.created_at, known.name))
                self._known = {known.name: n % HUES for n, known in enumerate(made)}
                self._look_again = time.monotonic() + LOOK_EVERY_SECONDS
            return self._known.get(source, hue(source))
