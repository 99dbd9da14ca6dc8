"""Organisations and households: lists, cards, and the people in them."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api import reference as decode
from tekil.console.pages import PagesHere
from tekil.console.people_view import Person, person, trait_text
from tekil.console.people_view import moment as shown_moment
from tekil.console.visit import Visit, VisitHere
from tekil.console.who import WhoHere
from tekil.errors import NotFound
from tekil.groupings import Groupings, Member
from tekil.groupings.model import Belonging

READ = needs(Permission.PROFILES_READ)

ROWS = 50
PEOPLE = 50


def _opened(groupings: Groupings | None) -> Groupings:
    if groupings is None:
        raise NotFound("Organisations and households cannot be looked at here.", code="organisation_unknown")
    return groupings


@get("/organisations", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_organisations(
    visit: VisitHere, pages: PagesHere, who: WhoHere, q: FromQuery[str] = "", skip: FromQuery[int] = 0
) -> Response[str]:
    """Show organisations, those of most people first, or those that a search finds."""
    skip = max(min(skip, 100_000), 0)
    found = [] if who.groupings is None else who.groupings.organisations(q, ROWS + 1, skip)
    return pages.show(
        visit,
        "organisations.html",
        page="organisations",
        rows=found[:ROWS],
        query=q.strip(),
        next=skip + ROWS if len(found) > ROWS else None,
        first=skip == 0,
    )


@get("/organisations/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_organisation(
    name: FromPath[str], visit: VisitHere, pages: PagesHere, who: WhoHere, skip: FromQuery[int] = 0
) -> Response[str]:
    """Show one organisation: what is said of it, its people, and what they did last."""
    groupings, asked = _opened(who.groupings), decode(name)
    card, skip = groupings.organisation(asked), max(min(skip, 100_000), 0)
    people = groupings.organisation_people(asked, PEOPLE, skip)
    latest = groupings.latest(asked) if visit.may(Permission.EVENTS_READ) else []
    return pages.show(
        visit,
        "organisation.html",
        page="organisations",
        card=card,
        people=_people(people.members),
        next=people.next,
        first=skip == 0,
        moments=[shown_moment(event) for event in latest],
        trait_text=trait_text,
    )


def _people(members: list[Member]) -> list[tuple[Person, Member]]:
    return [(person(member.card), member) for member in members]


@get("/households", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_households(
    visit: VisitHere, pages: PagesHere, who: WhoHere, skip: FromQuery[int] = 0
) -> Response[str]:
    """Show households with what their people have in common, the largest first."""
    skip = max(min(skip, 100_000), 0)
    found = [] if who.groupings is None else who.groupings.households(ROWS + 1, skip)
    return pages.show(
        visit,
        "households.html",
        page="organisations",
        rows=found[:ROWS],
        next=skip + ROWS if len(found) > ROWS else None,
        first=skip == 0,
    )


@get("/households/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_household(name: FromPath[str], visit: VisitHere, pages: PagesHere, who: WhoHere) -> Response[str]:
    """Show one household: who is in it, and why."""
    household, members = _opened(who.groupings).household(decode(name))
    return pages.show(
        visit, "household.html", page="organisations", household=household, people=_people(members)
    )


def belonging(visit: Visit, groupings: Groupings | None, person_id: str) -> Belonging | None:
    """Return where somebody belongs; nothing to who sees some people only: it tells of others."""
    if groupings is None or visit.within is not None:
        return None
    return groupings.of_person(person_id)


ROUTES = [show_organisations, show_organisation, show_households, show_household]
