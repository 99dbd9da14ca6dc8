"""Erasure as the rest of the house asks for it: carried out by the engine between two of its cycles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tekil.access.audit import Actor
from tekil.engine import Engine
from tekil.erasure.eraser import Eraser
from tekil.erasure.model import Plan, Proof

Result = TypeVar("Result")


class ErasureDesk:
    """Plans, applies and proves erasures in a running engine. Safe for many threads."""

    def __init__(self, engine: Engine, folders: Sequence[Path]) -> None:
        """Take the engine, and the folders whose every byte a scan reads."""
        self._engine, self._folders = engine, tuple(folders)

    def plan(self, reference: str, by: Actor) -> Plan:
        """See `Eraser.plan`."""
        return self._ask(lambda eraser: eraser.plan(reference, by))

    def apply(self, reference: str, by: Actor, reason: str = "", *, scan: bool = False) -> Proof:
        """See `Eraser.apply`; with `scan`, every byte is read afterwards."""
        folders = self._folders if scan else ()
        return self._ask(lambda eraser: eraser.apply(reference, by, reason, folders))

    def prove(self, reference: str, by: Actor, *, scan: bool = False) -> Proof:
        """See `Eraser.prove`; with `scan`, every byte is read."""
        folders = self._folders if scan else ()
        return self._ask(lambda eraser: eraser.prove(reference, by, folders))

    def sweep(self) -> bool:
        """See `Eraser.sweep`."""
        return self._ask(lambda eraser: eraser.sweep())

    def _ask(self, task: Callable[[Eraser], Result]) -> Result:
        return self._engine.submit(lambda engine: task(Eraser(engine))).result()
