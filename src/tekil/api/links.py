"""Links' routes: compare everybody, look at doubtful pairs, decide, and see how right links are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, JSONBody, QueryParameter

from tekil.access.audit import Act
from tekil.api import problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.links import LinkDesk, LinkSearch, Progress, Review, Run, Trust
from tekil.store import Store

Shown = Literal["waiting", "undecided", "accepted", "rejected"]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=100_000, description="How many to pass over.")]

TOLD: dict[str, Any] = {"tags": ["Identity"], "security": BEARER, "sync_to_thread": True}


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody decides of the pair `id`: one person, two, or not to be told."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    decision: Literal["accepted", "rejected", "undecided"]


def link_routes(store: Store, desk: LinkDesk, search: LinkSearch) -> Router:
    """Return the routes, over the desk that takes decisions and what searches, one search at a time."""

    @get(
        "/queue",
        summary="Pairs for somebody to look at",
        guards=[requires("profiles:read")],
        responses=problems.responses(400, 401, 403, 503),
        **TOLD,
    )
    def get_queue(
        decision: FromQuery[Shown] = "waiting",
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> list[Review]:
        """Return pairs of a decision, the weightiest first, field by field; values are masked."""
        return desk.queue(decision, limit, offset)

    @post(
        "/decide",
        summary="Decide a pair",
        status_code=200,
        guards=[requires("identity:write")],
        responses=problems.responses(400, 401, 403, 404, 413, 503),
        **TOLD,
    )
    def post_decision(data: JSONBody[Deciding], request: Request[Any, Any, Any]) -> Review:
        """Keep the decision, and say it through the log: a merge, a split, or what was said withdrawn."""
        actor = actor_of(request)
        pair = desk.decide(data.id, data.decision, by=actor.name)
        store.audit.append(actor, Act.IDENTITY_SAID, "links", data.id, said=data.decision)
        return pair

    @get(
        "/trust",
        summary="How right links are",
        guards=[requires("profiles:read")],
        responses=problems.responses(401, 403, 503),
        **TOLD,
    )
    def get_trust() -> list[Trust]:
        """Return precision and recall against decided pairs, by weight."""
        return desk.trust()

    routes = [*_search_routes(search), get_queue, post_decision, get_trust]
    return Router("/v1/identity/links", route_handlers=routes)


def _search_routes(search: LinkSearch) -> list[HTTPRouteHandler]:
    @post(
        "/run",
        summary="Compare everybody anew",
        status_code=200,
        guards=[requires("identity:write")],
        responses=problems.responses(401, 403, 409, 503),
        **TOLD,
    )
    def post_run(request: Request[Any, Any, Any]) -> Run:
        """Say what is linked now and take back what is no longer; persons follow within one cycle.

        Answers when the search has ended, and with 409 at once where another one runs.
        """
        return search.run(actor_of(request))

    @post(
        "/start",
        summary="Begin to compare everybody anew",
        status_code=202,
        guards=[requires("identity:write")],
        responses=problems.responses(401, 403, 409, 503),
        **TOLD,
    )
    def post_start(request: Request[Any, Any, Any]) -> Progress:
        """Begin a search and answer at once; `progress` says how far it has come."""
        search.start(actor_of(request))
        return search.progress()

    @get(
        "/progress",
        summary="How far a search has come",
        guards=[requires("profiles:read")],
        responses=problems.responses(401, 403, 503),
        **TOLD,
    )
    def get_progress() -> Progress:
        """Return the step at hand, empty where no search runs, and how the last search began or ended."""
        return search.progress()

    return [post_run, post_start, get_progress]
