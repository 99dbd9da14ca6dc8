"""The API's routes for erasure: what it would do, doing it, looking once more, and the destruction log."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery, JSONBody

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import problems
from tekil.api.access import BEARER, ActorHere, actor_of, requires
from tekil.api.paths import reference as decode
from tekil.erasure import ErasureDesk, Plan, Proof
from tekil.store import Destruction, Store
from tekil.store.destructions import Kind

Reference = Annotated[
    str, msgspec.Meta(min_length=1, max_length=600, extra_json_schema={"pattern": "^[^\\u0000]*$"})
]
Reason = Annotated[str, msgspec.Meta(max_length=200)]


class Whom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose erasure: a person id, or `kind:value`. In the body, so that no access log holds it.

    `reason` is the id of a request, or a sentence; with `scan` every byte that is kept is read afterwards.
    """

    reference: Reference
    reason: Reason = ""
    scan: bool = False


class Swept(msgspec.Struct, frozen=True):
    """Whether the file was written anew; an engine of another house does that by itself."""

    swept: bool


class DestructionList(msgspec.Struct, frozen=True):
    """Entries of the destruction log, newest first."""

    destructions: list[Destruction]


def erasure_routes(desk: ErasureDesk, store: Store) -> Router:
    """Return the routes, over a running engine."""
    told: dict[str, Any] = {"tags": ["Privacy"], "security": BEARER, "sync_to_thread": True}
    run: dict[str, Any] = {
        **told,
        "guards": [requires(Permission.ERASURE_RUN)],
        "status_code": 200,
        "responses": problems.responses(400, 401, 403, 404, 503),
    }
    look: dict[str, Any] = {**told, "guards": [requires(Permission.REQUESTS_READ)]}

    @post("/erasure/plan", summary="What erasing a person would do", **run)
    def plan(data: JSONBody[Whom], by: ActorHere) -> Plan:
        """Return who is meant, what would go in each place, and what is kept and why. Changes nothing."""
        return desk.plan(data.reference, by)

    @post("/erasure/apply", summary="Erase a person", **run)
    def apply(data: JSONBody[Whom], by: ActorHere) -> Proof:
        """Remove the person from every place and return the proof. It cannot be undone."""
        return desk.apply(data.reference, by, data.reason, scan=data.scan)

    @post("/erasure/prove", summary="Look once more for somebody who was erased", **run)
    def prove(data: JSONBody[Whom], by: ActorHere) -> Proof:
        """Look in every place again, and return the proof, which takes the first one's place."""
        return desk.prove(data.reference, by, scan=data.scan)

    @post("/erasure/sweep", summary="Write the warehouse's file anew", **run)
    def sweep(by: ActorHere) -> Swept:
        """Let the bytes of deleted rows leave the file. The engine waits meanwhile; nobody else does."""
        store.audit.append(by, Act.WAREHOUSE_SWEPT, "warehouse")
        return Swept(desk.sweep())

    @get(
        "/destructions",
        summary="The destruction log",
        responses=problems.responses(400, 401, 403, 503),
        **look,
    )
    def list_destructions(kind: FromQuery[Kind | None] = None) -> DestructionList:
        """Return what was destroyed lately, by erasure or by retention."""
        return DestructionList(store.destructions.newest(kind=kind))

    @get(
        "/destructions/{destruction_id:str}",
        summary="One entry of the destruction log",
        responses=problems.responses(401, 403, 404, 503),
        **look,
    )
    def get_destruction(destruction_id: FromPath[str]) -> Destruction:
        """Return who asked, why, what went, and the proof."""
        return store.destructions.get(decode(destruction_id).replace("\0", ""))

    return Router(
        "/v1",
        route_handlers=[plan, apply, prove, sweep, list_destructions, get_destruction],
        dependencies={"by": Provide(actor_of, sync_to_thread=False)},
    )
