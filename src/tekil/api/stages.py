"""Stages' routes: chains, their boards, and who is in a stage."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from tekil.api import problems
from tekil.api.access import BEARER, requires
from tekil.api.audiences import Limit, MembersShown, member_shown
from tekil.api.paths import reference as decode
from tekil.stage_reads import Board, Chain, StageReads

Stuck = Annotated[bool, QueryParameter(description="Only who is in it for longer than `stuck_after`.")]


class ChainsShown(msgspec.Struct, frozen=True):
    """All chains of stages, by name."""

    chains: list[Chain]


def stage_routes(stages: StageReads) -> Router:
    """Return the routes of stages."""
    told: dict[str, Any] = {
        "tags": ["Stages"],
        "guards": [requires("audiences:read")],
        "security": BEARER,
        "sync_to_thread": True,
    }

    @get("", summary="Chains of stages", responses=problems.responses(401, 403, 503), **told)
    def get_chains() -> ChainsShown:
        """Return all chains in force with how many people are in each."""
        return ChainsShown(stages.all())

    @get(
        "/{name:str}",
        summary="A chain's board",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_board(name: FromPath[str]) -> Board:
        """Return a chain's stages with people, goals and who is stuck, and the steps of the last 30 days."""
        return stages.board(decode(name))

    @get(
        "/{name:str}/{stage:str}/people",
        summary="Who is in a stage",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_people(
        name: FromPath[str],
        stage: FromPath[str],
        limit: Limit = 50,
        stuck: Stuck = False,
        cursor: FromQuery[str | None] = None,
    ) -> MembersShown:
        """Return a page of the people in a stage; pass `next` back as `cursor` for more."""
        page = stages.people(decode(name), decode(stage), stuck=stuck, cursor=cursor, limit=limit)
        return MembersShown([member_shown(one) for one in page.people], page.next)

    return Router("/v1/stages", route_handlers=[get_chains, get_board, get_people])
