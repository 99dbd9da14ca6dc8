"""Group commit: everything that waits goes to disk together, and is answered together."""

from __future__ import annotations

import logging
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator
from contextvars import Context
from queue import SimpleQueue
from typing import Any

from tekil.errors import Unavailable
from tekil.log import Entry, Log

WAITING_MAX = 4_096
"""Bodies that may wait for the next commit; the door answers 503 to more."""

WAITING_BYTES_MAX = 64 << 20
"""Bytes that may wait for the next commit."""

logger = logging.getLogger("tekil.collect")

Wakeup = Callable[[Any], object]


class Batch:
    """Bodies that go to disk together. Who awaits it goes on once they are there.

    To a task it is a future (`asyncio.isfuture`), of which it has what a task asks for. One serves all bodies
    of a commit, and wakes everybody in one turn of the loop; a future and a callback for each would be a
    tenth of what a request costs.
    """

    __slots__ = ("_asyncio_future_blocking", "_error", "_is_done", "_loop", "_wakeups", "bytes", "entries")

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Begin without bodies."""
        self._asyncio_future_blocking = False
        self._loop = loop
        self._error: Unavailable | None = None
        self._is_done = False
        self._wakeups: list[tuple[Wakeup, Context | None]] = []
        self.entries: list[Entry] = []
        self.bytes = 0

    def __await__(self) -> Generator[Batch, None, None]:
        """Wait for the disk. Raises `Unavailable` where nothing of the batch was kept."""
        if not self._is_done:
            self._asyncio_future_blocking = True
            yield self
        self.result()

    def settle(self, error: Unavailable | None) -> None:
        """Say that all is on disk, or that nothing is; whoever waits goes on now."""
        self._error, self._is_done = error, True
        for wakeup, context in self._wakeups:
            if context is None:
                wakeup(self)
            else:
                context.run(wakeup, self)

    def result(self) -> None:
        """Raise what kept the batch from the disk."""
        if self._error is not None:
            raise self._error

    def get_loop(self) -> AbstractEventLoop:
        """Return the loop that whoever waits must run on."""
        return self._loop

    def add_done_callback(self, wakeup: Wakeup, *, context: Context | None = None) -> None:
        """Have a task woken when the batch is settled."""
        self._wakeups.append((wakeup, context))

    def cancel(self, msg: str | None = None) -> bool:  # noqa: ARG002 (a task gives it by name)
        """Refuse: what is on its way to the disk cannot be called back."""
        return False


class Commits:
    """One commit at a time; bodies that come meanwhile share the next.

    A commit is made on the event loop's own thread: it takes a third of a millisecond, and a thread that
    takes the interpreter's lock away from the loop and gives it back, twice a commit, cost more than that.
    Only where somebody else holds the log, so that it has to be waited for, does a thread do the waiting.
    All methods belong to the loop's thread; the writer's thread only ever sees whole batches.
    """

    def __init__(self, log: Log, loop: AbstractEventLoop) -> None:
        """Start the writer's thread."""
        self._log = log
        self._loop = loop
        self._next = Batch(loop)
        self._busy = False
        self._work: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="tekil-log-writer", daemon=True)
        self._thread.start()

    def keep(self, entry: Entry) -> Batch:
        """Return what to await until `entry` is on disk; it fails with `Unavailable`.

        Raises `Unavailable` at once where too much is waiting already.
        """
        batch = self._next
        size = batch.bytes + len(entry.body)
        if len(batch.entries) >= WAITING_MAX or size > WAITING_BYTES_MAX:
            raise Unavailable(
                "More is arriving than the disk can keep up with. Nothing was kept; send this again.",
                code="busy",
            )
        batch.entries.append(entry)
        batch.bytes = size
        if not self._busy:
            self._busy = True
            self._begin_soon()
        return batch

    def _begin_soon(self) -> None:
        """Begin a commit, but not at once: the requests of this turn of the loop and of the next join."""
        self._loop.call_soon(self._loop.call_soon, self._begin)

    def _begin(self) -> None:
        batch, self._next = self._next, Batch(self._loop)
        error: Unavailable | None = None
        try:
            if self._log.append_at_once(batch.entries) is None:
                self._work.put(batch)
                return
        except Exception as caught:
            error = _explained(caught)
        self._settle(batch, error)

    def _write(self) -> None:
        """Run in the writer's thread until told to end."""
        while (batch := self._work.get()) is not None:
            error: Unavailable | None = None
            try:
                self._log.append(batch.entries)
            except Exception as caught:
                error = _explained(caught)
            self._loop.call_soon_threadsafe(self._settle, batch, error)

    def _settle(self, batch: Batch, error: Unavailable | None) -> None:
        if self._next.entries:
            self._begin_soon()
        else:
            self._busy = False
        batch.settle(error)

    def close(self) -> None:
        """End the writer's thread, after the commit it is busy with. Call when nobody waits any more."""
        self._work.put(None)
        self._thread.join(timeout=10)


def _explained(error: Exception) -> Unavailable:
    """Return what to tell those who waited, and leave it in the log of the program."""
    if isinstance(error, Unavailable):
        logger.error("%s", error.message)
        return error
    logger.error("The log failed in a way it should not.", exc_info=error)
    return Unavailable("The log failed. Nothing was kept; send this again.")
