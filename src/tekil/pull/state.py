"""How far imports of a file have come. Losing this costs only time: what is sent twice is inert."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """One import of a file: where to (a hash of door and key), under which mapping, up to which row."""

    place: str
    mapping: str
    kind: str
    row: int


def place_of(door: str, write_key: str) -> str:
    """Return what stands for a door and a source in a state file, which should hold no key."""
    return hashlib.blake2b(msgspec.json.encode([door, write_key]), digest_size=12).hexdigest()


def read_progress(path: Path) -> list[Progress]:
    """Return all imports that a state file remembers; none where it is missing or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Progress])
    except (OSError, msgspec.MsgspecError):
        return []


def write_progress(path: Path, imports: list[Progress]) -> None:
    """Replace a state file, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(imports))
    os.replace(new, path)
