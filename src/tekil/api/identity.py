"""Identity's routes: why somebody is who they are, and saying who is who, a plan first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.params import FromQuery, JSONBody

from tekil.access.audit import Act
from tekil.api import problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.identity import Explanation, IdentityDesk, Plan
from tekil.store import Store


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say of whom. `one` and `other` are person ids or `kind:value`; only `share` needs no other."""

    act: Literal["merge", "split", "withdraw", "share"]
    one: Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
    other: Annotated[str, msgspec.Meta(min_length=1, max_length=600)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Said(msgspec.Struct, frozen=True):
    """What was said, and the id of the message that says it; the engine acts on it in its next cycle."""

    message_id: str
    plan: Plan


def identity_routes(store: Store, desk: IdentityDesk) -> Router:
    """Return the routes, over the desk that explains and says."""
    told: dict[str, Any] = {"tags": ["Identity"], "security": BEARER, "sync_to_thread": True}

    @get(
        "/explain",
        summary="Why an identifier is of its person",
        guards=[requires("profiles:read")],
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_explanation(of: FromQuery[str], other: FromQuery[str | None] = None) -> Explanation:
        """Return the chain of evidence from `of` to `other` (or to the person's oldest identifier)."""
        return desk.explain(of, other)

    @post(
        "/plan",
        summary="What saying who is who would do",
        status_code=200,
        guards=[requires("identity:write")],
        responses=problems.responses(400, 401, 403, 404, 413, 503),
        **told,
    )
    def post_plan(data: JSONBody[Saying]) -> Plan:
        """Return whom it would concern, and what it would do. Changes nothing."""
        return desk.masked(desk.plan(data.act, data.one, data.other))

    @post(
        "/apply",
        summary="Say who is who",
        status_code=200,
        guards=[requires("identity:write")],
        responses=problems.responses(400, 401, 403, 404, 413, 503),
        **told,
    )
    def post_apply(data: JSONBody[Saying], request: Request[Any, Any, Any]) -> Said:
        """Say it through the log, with who says it and why; persons follow within one cycle."""
        actor = actor_of(request)
        plan = desk.plan(data.act, data.one, data.other)
        message_id = desk.say(plan, by=actor.name, reason=data.reason)
        people = tuple(party.person_id for party in plan.people)
        store.audit.append(actor, Act.IDENTITY_SAID, "person", people[0], said=plan.act, people=people)
        return Said(message_id, desk.masked(plan))

    return Router("/v1/identity", route_handlers=[get_explanation, post_plan, post_apply])
