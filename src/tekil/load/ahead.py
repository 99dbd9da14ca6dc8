"""The log, read ahead: while a cycle is at work on one helping of bodies, the next one is being decrypted."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from tekil.log import Log


class ReadAhead:
    """Reads a log helping by helping, the next one in a thread of its own as soon as one was full.

    Only then: what has just come in would otherwise wait a cycle longer than it must.
    """

    def __init__(self, log: Log, bodies: int, size: int) -> None:
        """Take the log, and how many bodies and bytes a helping has at most."""
        self._log, self._bodies, self._size = log, bodies, size
        self._thread = ThreadPoolExecutor(1, "tekil-read-ahead")
        self._next: tuple[int, Future[pa.Table]] | None = None

    def read(self, after: int) -> pa.Table:
        """Return the next helping after a position, as `Log.read` does. From one thread only."""
        waiting, self._next = self._next, None
        found = waiting[1].result() if waiting is not None and waiting[0] == after else self._read(after)
        if self._is_full(found):
            last = int(found["position"][-1].as_py())
            self._next = last, self._thread.submit(self._read, last)
        return found

    def forget(self) -> None:
        """Read anew: what lies in the log may be about to change (erasure)."""
        self._next = None

    def _read(self, after: int) -> pa.Table:
        return self._log.read(after, self._bodies, size=self._size)

    def _is_full(self, found: pa.Table) -> bool:
        return bool(found.num_rows >= self._bodies or found.nbytes >= self._size)
