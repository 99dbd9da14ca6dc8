"""Audiences' routes: how many are in, how that went, and who they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from tekil.api import model, problems
from tekil.api.access import BEARER, requires
from tekil.api.paths import reference as decode
from tekil.audience_reads import Audience, AudienceReads, Combination, Member, Size
from tekil.definitions import Definition
from tekil.store import Card

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]


class AudienceShown(msgspec.Struct, frozen=True):
    """An audience in force; `people` are in it now."""

    name: str
    title: dict[str, str]
    owner: str
    version: int
    sql: str
    people: int


class AudiencesShown(msgspec.Struct, frozen=True):
    """All audiences in force, by name."""

    audiences: list[AudienceShown]


class PersonShown(msgspec.Struct, frozen=True):
    """Somebody, by identifiers with personal values masked."""

    person_id: str
    identifiers: list[model.ProfileIdentifier]


class MemberShown(PersonShown, frozen=True):
    """Somebody in an audience, and since when."""

    since: datetime


class AudienceTold(msgspec.Struct, frozen=True):
    """An audience, the hours of the last 30 days in which its size changed, and a sample of its people."""

    audience: AudienceShown
    history: list[Size]
    sample: list[MemberShown]


class MembersShown(msgspec.Struct, frozen=True):
    """People of an audience, those who came last first; `next` is the cursor for more, null at the end."""

    people: list[MemberShown]
    next: str | None


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition to try; with the name of an audience in force, it is compared with who is in that."""

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "preview"


class PreviewShown(msgspec.Struct, frozen=True):
    """How many people a condition holds for, how many would enter and leave, and a sample."""

    people: int
    entering: int
    leaving: int
    sample: list[PersonShown]


class Overlap(msgspec.Struct, frozen=True):
    """Combinations of audiences, and how many people are in exactly those."""

    combinations: list[Combination]


def audience_routes(audiences: AudienceReads) -> Router:
    """Return the routes, over what reads audiences."""
    told: dict[str, Any] = {
        "tags": ["Audiences"],
        "guards": [requires("audiences:read")],
        "security": BEARER,
        "sync_to_thread": True,
    }

    @get("", summary="Audiences and their sizes", responses=problems.responses(401, 403, 503), **told)
    def get_audiences() -> AudiencesShown:
        """Return all audiences in force with how many people are in each."""
        return AudiencesShown([_shown(one) for one in audiences.all()])

    @get(
        "/{name:str}",
        summary="One audience",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_audience(name: FromPath[str]) -> AudienceTold:
        """Return an audience, the history of its size, and some of the people who came last."""
        found = audiences.one(decode(name))
        sample = audiences.people(found.name, limit=10).people
        return AudienceTold(_shown(found), found.history, [member_shown(one) for one in sample])

    @get(
        "/{name:str}/people",
        summary="Who is in an audience",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_people(
        name: FromPath[str], limit: Limit = 50, cursor: FromQuery[str | None] = None
    ) -> MembersShown:
        """Return a page of the people in an audience; pass `next` back as `cursor` for more."""
        page = audiences.people(decode(name), cursor=cursor, limit=limit)
        return MembersShown([member_shown(one) for one in page.people], page.next)

    @post(
        "/preview",
        summary="Whom a condition would hold for",
        status_code=200,
        responses=problems.responses(400, 401, 403, 503),
        **told,
    )
    def preview(data: JSONBody[Wanted]) -> PreviewShown:
        """Return how many people a condition holds for now, who would come and go, and some of them."""
        found = audiences.preview(Definition("audience", data.name, {}, "", {"sql": data.sql}))
        sample = [_named(card) for card in found.sample]
        return PreviewShown(found.move.people, found.move.entering, found.move.leaving, sample)

    looks = _looks(audiences, told)
    return Router("/v1/audiences", route_handlers=[get_audiences, get_audience, get_people, preview, *looks])


def _looks(audiences: AudienceReads, told: dict[str, Any]) -> Sequence[ControllerRouterHandler]:
    """Return the routes that look at people of audiences by chance, and at several audiences at once."""

    @get(
        "/{name:str}/sample",
        summary="Some people of an audience, by chance",
        responses=problems.responses(400, 401, 403, 404, 503),
        **told,
    )
    def get_sample(name: FromPath[str], size: Limit = 10, salt: FromQuery[str] = "") -> MembersShown:
        """Return some people, the same ones each time; with another `salt`, others."""
        return MembersShown([member_shown(one) for one in audiences.sample(decode(name), size, salt)], None)

    @get(
        "/overlap", summary="How audiences overlap", responses=problems.responses(400, 401, 403, 503), **told
    )
    def get_overlap(among: FromQuery[list[str]]) -> Overlap:
        """Return how many people are in exactly which of up to eight audiences, the most first."""
        return Overlap(audiences.overlap(among))

    return [get_sample, get_overlap]


def _shown(of: Audience) -> AudienceShown:
    return AudienceShown(of.name, of.title, of.owner, of.version, of.sql, of.people)


def _named(card: Card) -> PersonShown:
    return PersonShown(card.person_id, [model.ProfileIdentifier(i.kind, i.value) for i in card.identifiers])


def member_shown(one: Member) -> MemberShown:
    """Return somebody in an audience, a stage or a grade as the API shows them."""
    named = _named(one.card)
    return MemberShown(named.person_id, named.identifiers, model.utc(one.since))
