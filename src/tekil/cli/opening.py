"""Opening the store for a command."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tekil import config
from tekil.access.audit import Actor
from tekil.store import Store, open_store


@contextmanager
def opened_store(folder: Path) -> Iterator[Store]:
    """Open the store of the installation that governs a folder; close it at the end of the block."""
    settings = config.load(folder)
    store = open_store(settings.resolve(settings.store))
    try:
        yield store
    finally:
        store.close()


def here() -> Actor:
    """Return who acts by the command line: this machine's user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor("system", f"command line ({name[:64]})")


def write_key_of(store: Store, source: str) -> str:
    """Return a write key of a source; one is made where there is none."""
    known = [k.key for k in store.keys.write_keys() if k.source == source and k.enabled]
    return known[0] if known else store.keys.create_write_key(source, here()).key
