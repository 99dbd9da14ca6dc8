"""Tasks for the engine's thread: what others want done between two cycles."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from tekil.errors import Unavailable

Worker = TypeVar("Worker")
Result = TypeVar("Result")

LOOK_SECONDS = 0.05
"""How often `Tasks.wait` looks for a task."""


class Tasks(Generic[Worker]):
    """A queue that any thread may put tasks into, and one thread works through."""

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: queue.SimpleQueue[tuple[Callable[[Worker], Any], Future[Any]]] = queue.SimpleQueue()
        self._ended = False

    def submit(self, task: Callable[[Worker], Result]) -> Future[Result]:
        """Have a task done; from any thread."""
        future: Future[Result] = Future()
        self._waiting.put((task, future))
        if self._ended:
            self.refuse()
        return future

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait so long, but no longer than until there is a task or `stop` is set."""
        until = time.monotonic() + seconds
        while self._waiting.empty() and (left := until - time.monotonic()) > 0:
            if stop.wait(min(left, LOOK_SECONDS)):
                return

    def run(self, worker: Worker, before: Callable[[], None]) -> None:
        """Do what waits, each task after a call of `before`."""
        while not self._waiting.empty():
            before()
            task, future = self._waiting.get()
            try:
                future.set_result(task(worker))
            except Exception as error:
                # Whoever asked is told; the loop goes on.
                future.set_exception(error)

    def refuse(self) -> None:
        """Tell whoever still waits, or ever will, that the loop has ended: nobody would answer them."""
        self._ended = True
        while True:
            try:
                _, future = self._waiting.get_nowait()
            except queue.Empty:
                return
            future.set_exception(
                Unavailable("The engine is stopping; ask again when it is back.", code="engine_stopping")
            )
