"""Threads that work beside the server, from when it starts until it has stopped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def beside(name: str, run: Callable[[threading.Event], object], stop: threading.Event) -> Iterator[None]:
    """Run `run(stop)` in a thread; at the block's end set `stop`, and wait for it."""
    thread = threading.Thread(target=run, args=(stop,), name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
