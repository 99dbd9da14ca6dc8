"""Instants as the store writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

Begin = Callable[[], AbstractContextManager[Connection]]
"""Opens a connection in a transaction that ends with the block."""


def now_us() -> int:
    """Return this instant in microseconds since the epoch (UTC)."""
    return time.time_ns() // 1000
