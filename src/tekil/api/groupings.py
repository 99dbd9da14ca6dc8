"""Groupings' routes: organisations and households, who is in them, and where somebody belongs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from tekil.api import model, problems
from tekil.api.access import BEARER, requires
from tekil.api.paths import reference as decode
from tekil.groupings import Groupings, Household, Member, Organisation, OrganisationCard
from tekil.groupings.model import Belonging

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=100_000, description="How many to pass over.")]


class GroupedPerson(msgspec.Struct, frozen=True):
    """Somebody of an organisation or a household, and when it was last said that they are."""

    person_id: str
    identifiers: list[model.ProfileIdentifier]
    last_seen: datetime


class OrganisationPeople(msgspec.Struct, frozen=True):
    """People of an organisation; `next` is the offset for more, null at the end."""

    people: list[GroupedPerson]
    next: int | None


class HouseholdShown(msgspec.Struct, frozen=True):
    """A household, and all of its people."""

    household: Household
    people: list[GroupedPerson]


def grouping_routes(groupings: Groupings) -> list[Router]:
    """Return the routes, over what reads groupings."""
    return [_organisation_routes(groupings), _household_routes(groupings)]


def _told(tag: str) -> dict[str, Any]:
    return {
        "tags": [tag],
        "guards": [requires("profiles:read")],
        "security": BEARER,
        "sync_to_thread": True,
    }


def _organisation_routes(groupings: Groupings) -> Router:
    told = _told("Organisations")
    asked = problems.responses(400, 401, 403, 404, 503)

    @get("", summary="Organisations", responses=problems.responses(400, 401, 403, 503), **told)
    def get_organisations(
        q: FromQuery[str] = "", limit: Limit = 50, offset: Offset = 0
    ) -> list[Organisation]:
        """Return organisations, those of most people first; whose id holds `q`, where it is given."""
        return groupings.organisations(q, limit, offset)

    @get("/{name:str}", summary="One organisation", responses=asked, **told)
    def get_organisation(name: FromPath[str]) -> OrganisationCard:
        """Return an organisation's card. It is named `group:…`, as group() calls do, or `domain:…`."""
        return groupings.organisation(decode(name))

    @get("/{name:str}/people", summary="Who is of an organisation", responses=asked, **told)
    def get_people(name: FromPath[str], limit: Limit = 50, offset: Offset = 0) -> OrganisationPeople:
        """Return a page of an organisation's people, those last seen there first."""
        page = groupings.organisation_people(decode(name), limit, offset)
        return OrganisationPeople([_shown(one) for one in page.members], page.next)

    @get("/{name:str}/events", summary="What an organisation's people did last", responses=asked, **told)
    def get_organisation_events(name: FromPath[str]) -> model.Events:
        """Return the last events of the people of an organisation who were seen last."""
        return model.Events([model.event(row) for row in groupings.latest(decode(name))], None)

    routes = [get_organisations, get_organisation, get_people, get_organisation_events]
    return Router("/v1/organisations", route_handlers=routes)


def _household_routes(groupings: Groupings) -> Router:
    told = _told("Households")
    asked = problems.responses(400, 401, 403, 404, 503)

    @get("", summary="Households", responses=problems.responses(400, 401, 403, 503), **told)
    def get_households(limit: Limit = 50, offset: Offset = 0) -> list[Household]:
        """Return households, the largest first, with what their people have in common."""
        return groupings.households(limit, offset)

    @get("/{name:str}", summary="One household", responses=asked, **told)
    def get_household(name: FromPath[str]) -> HouseholdShown:
        """Return a household and its people."""
        household, members = groupings.household(decode(name))
        return HouseholdShown(household, [_shown(one) for one in members])

    @get("/of/{person_id:str}", summary="Where somebody belongs", responses=asked, **told)
    def get_belonging(person_id: FromPath[str]) -> Belonging:
        """Return a person's organisations and households, by person id; of nobody, none."""
        return groupings.of_person(decode(person_id))

    return Router("/v1/households", route_handlers=[get_households, get_household, get_belonging])


def _shown(one: Member) -> GroupedPerson:
    card = one.card
    identifiers = [model.ProfileIdentifier(i.kind, i.value) for i in card.identifiers]
    return GroupedPerson(card.person_id, identifiers, model.utc(one.last_seen))
