"""What ends a program in good order: SIGTERM and SIGINT."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable

ENDING = (signal.SIGTERM, signal.SIGINT)


def on_ending(do: Callable[[], None]) -> None:
    """Call `do` once, in a thread of its own, when this process is told to end. Call from the main thread.

    A handler runs in the midst of whatever the main thread is doing, and so may take no lock:
    `threading.Event.set` takes one that a main thread in `Event.wait` may hold, and then both stand
    still for ever. Putting into a `SimpleQueue` is reentrant.
    """
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        told.get()
        do()

    for number in ENDING:
        signal.signal(number, lambda number, _frame: told.put(number))
    threading.Thread(target=wait, name="signals", daemon=True).start()
