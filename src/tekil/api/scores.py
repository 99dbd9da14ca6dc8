"""Scores' routes: how many people have which grade, and who they are."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery

from tekil.api import problems
from tekil.api.access import BEARER, requires
from tekil.api.audiences import Limit, MembersShown, member_shown
from tekil.api.paths import reference as decode
from tekil.score_reads import Axis, Cell, Score, ScoreReads
from tekil.scores import ScoreSpec


class ScoreShown(msgspec.Struct, frozen=True):
    """A score in force; `people` have a grade of it."""

    name: str
    title: dict[str, str]
    owner: str
    version: int
    people: int


class ScoresShown(msgspec.Struct, frozen=True):
    """All scores, by name."""

    scores: list[ScoreShown]


class ScoreTold(msgspec.Struct, frozen=True):
    """A score: what it is made of, what its grades are of, and how many people have each."""

    score: ScoreShown
    spec: ScoreSpec
    axes: list[Axis]
    cells: list[Cell]


def score_routes(scores: ScoreReads) -> Router:
    """Return the routes of scores."""
    told: dict[str, Any] = {
        "tags": ["Scores"],
        "guards": [requires("audiences:read")],
        "security": BEARER,
        "sync_to_thread": True,
    }

    @get("", summary="Scores", responses=problems.responses(401, 403, 503), **told)
    def get_scores() -> ScoresShown:
        """Return all scores in force with how many people have a grade."""
        return ScoresShown([_shown(one) for one in scores.all()])

    @get(
        "/{name:str}",
        summary="A score and its matrix",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_score(name: FromPath[str]) -> ScoreTold:
        """Return a score's rules, its grades with how many people have each, and how that went lately."""
        found = scores.one(decode(name))
        return ScoreTold(_shown(found), found.spec, found.axes, found.cells)

    @get(
        "/{name:str}/{grade:str}/people",
        summary="Who has a grade",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_people(
        name: FromPath[str], grade: FromPath[str], limit: Limit = 50, cursor: FromQuery[str | None] = None
    ) -> MembersShown:
        """Return a page of the people of a grade; pass `next` back as `cursor` for more."""
        page = scores.people(decode(name), decode(grade), cursor=cursor, limit=limit)
        return MembersShown([member_shown(one) for one in page.people], page.next)

    return Router("/v1/scores", route_handlers=[get_scores, get_score, get_people])


def _shown(of: Score) -> ScoreShown:
    return ScoreShown(of.name, of.title, of.owner, of.version, of.people)
