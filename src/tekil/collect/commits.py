"""Group commit: everything that waits goes to disk together, and is answered together."""

from __future__ import annotations

import logging
import threading
from asyncio import AbstractEventLoop, Future
from queue import SimpleQueue

from tekil.errors import Unavailable
from tekil.log import Entry, Log

WAITING_MAX = 4_096
"""Bodies that may wait for the next commit; the door answers 503 to more."""

WAITING_BYTES_MAX = 64 << 20
"""Bytes that may wait for the next commit."""

logger = logging.getLogger("tekil.collect")

Batch = tuple[list[Entry], "list[Future[None]]"]


class Commits:
    """One commit at a time, by one thread; bodies that come meanwhile share the next.

    All methods belong to the event loop's thread; the writer's thread only ever sees whole batches.
    """

    def __init__(self, log: Log, loop: AbstractEventLoop) -> None:
        """Start the writer's thread."""
        self._log = log
        self._loop = loop
        self._entries: list[Entry] = []
        self._futures: list[Future[None]] = []
        self._bytes = 0
        self._busy = False
        self._work: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="tekil-log-writer", daemon=True)
        self._thread.start()

    def keep(self, entry: Entry) -> Future[None]:
        """Return a future that is done once `entry` is on disk, or fails with `Unavailable`.

        Raises `Unavailable` at once where too much is waiting already.
        """
        self._bytes += len(entry.body)
        if len(self._entries) >= WAITING_MAX or self._bytes > WAITING_BYTES_MAX:
            self._bytes -= len(entry.body)
            raise Unavailable(
                "More is arriving than the disk can keep up with. Nothing was kept; send this again.",
                code="busy",
            )
        future: Future[None] = self._loop.create_future()
        self._entries.append(entry)
        self._futures.append(future)
        if not self._busy:
            self._busy = True
            # Not at once: the other requests of this turn of the loop join the same commit.
            self._loop.call_soon(self._begin)
        return future

    def _begin(self) -> None:
        batch = self._entries, self._futures
        self._entries, self._futures, self._bytes = [], [], 0
        self._work.put(batch)

    def _write(self) -> None:
        """Run in the writer's thread until told to end."""
        while (batch := self._work.get()) is not None:
            entries, futures = batch
            error: Unavailable | None = None
            try:
                self._log.append(entries)
            except Unavailable as caught:
                error = caught
                logger.error("%s", caught.message)
            except Exception:
                logger.exception("The log failed in a way it should not.")
                error = Unavailable("The log failed. Nothing was kept; send this again.")
            self._loop.call_soon_threadsafe(self._settle, futures, error)

    def _settle(self, futures: list[Future[None]], error: Unavailable | None) -> None:
        for future in futures:
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
        if self._entries:
            self._begin()
        else:
            self._busy = False

    def close(self) -> None:
        """End the writer's thread, after the commit it is busy with. Call when nobody waits any more."""
        self._work.put(None)
        self._thread.join(timeout=10)
