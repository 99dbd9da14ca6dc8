"""What an administrator asks of the engine: a rebuild, a verification, and how far it has come."""

from __future__ import annotations

import threading
import time
from typing import Any

import msgspec
from litestar import Router, get, post
from litestar.di import Provide

from tekil.access.audit import Act, Actor
from tekil.api.access import BEARER, ActorHere, actor_of, requires
from tekil.engine import Engine
from tekil.reads import Doing
from tekil.verification import Verification, verify

SCOPE = "engine:run"


class Rebuilt(msgspec.Struct, frozen=True):
    """A rebuild's outcome."""

    persons: int
    seconds: float


class Rotated(msgspec.Struct, frozen=True):
    """How many personal values were sealed anew."""

    values: int


class Control:
    """Runs tasks on the engine's loop, one at a time, and remembers how far the running one has come."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine."""
        self._engine = engine
        self._lock = threading.Lock()
        self.progress = Doing()

    def rebuild(self, by: Actor) -> Rebuilt:
        """Derive everything anew; the loop waits, the collector does not."""
        self._engine.store.audit.append(by, Act.ENGINE_REBUILT, "engine")
        started = time.monotonic()
        with self._lock:
            try:
                self._engine.submit(lambda engine: engine.rebuild(self._note)).result()
            finally:
                self.progress = Doing()
        return Rebuilt(self._engine.store.cards.count(), time.monotonic() - started)

    def verify(self, by: Actor) -> Verification:
        """Compare a fresh rebuild with what is live."""
        self._engine.store.audit.append(by, Act.ENGINE_VERIFIED, "engine")
        with self._lock:
            return self._engine.submit(verify).result()

    def rotate(self, by: Actor) -> Rotated:
        """Seal all personal values anew; the loop and everybody who reads go on meanwhile."""
        self._engine.store.audit.append(by, Act.VAULT_ROTATED, "vault")
        with self._lock:
            return Rotated(self._engine.vault.rekey())

    def _note(self, what: str, done: int, everything: int) -> None:
        self.progress = Doing(what, done, everything)


def control_routes(engine: Engine) -> Router:
    """Return the routes by which the command line's long tasks reach a running engine."""
    control = Control(engine)
    told: dict[str, Any] = {
        "tags": ["Engine"],
        "guards": [requires(SCOPE)],
        "security": BEARER,
        "sync_to_thread": True,
    }

    @post("/rebuild", summary="Derive everything anew from the events", status_code=200, **told)
    def rebuild(by: ActorHere) -> Rebuilt:
        """Run the models over all events and put their answers in the place of the old ones."""
        return control.rebuild(by)

    @post("/verify", summary="Compare a fresh rebuild with the live tables", status_code=200, **told)
    def check(by: ActorHere) -> dict[str, Any]:
        """Return what differs, row by row, and every way in which the ledger does not balance."""
        outcome = control.verify(by)
        return {"holds": outcome.holds, **msgspec.to_builtins(outcome, str_keys=True)}

    @post("/vault/rotate", summary="Seal all personal values with a new key", status_code=200, **told)
    def rotate(by: ActorHere) -> Rotated:
        """Make a new key for the vault, seal everything with it, and destroy the old one."""
        return control.rotate(by)

    @get("/progress", summary="How far a running task has come", **told)
    def progress() -> Doing:
        """Return what the engine's task is doing, empty when there is none, and which definitions hold."""
        return control.progress if control.progress.what else Doing(*engine.doing, definitions=engine.heeded)

    return Router(
        "/v1/engine",
        route_handlers=[rebuild, check, rotate, progress],
        dependencies={"by": Provide(actor_of, sync_to_thread=False)},
    )
