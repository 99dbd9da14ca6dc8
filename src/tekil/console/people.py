"""People: who was seen last, who has an identifier, and everything known of one of them."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.api import reference as decode
from tekil.api import segment
from tekil.api.consents import LedgerHere
from tekil.api.routes import ReadsHere
from tekil.console.consents_view import stands
from tekil.console.pages import PagesHere
from tekil.console.people_view import days, person, trait_text
from tekil.console.visit import VisitHere
from tekil.errors import NotFound
from tekil.reads import MovedPerson, Reads
from tekil.store import Card

KINDS = ("email", "phone", "user_id", "anonymous_id")
"""What a search may mean when it does not say, likeliest first."""

PEOPLE = 50
EVENTS = 50


@get("/people", include_in_schema=False, sync_to_thread=True)
def show_people(
    visit: VisitHere, pages: PagesHere, reads: ReadsHere, q: FromQuery[str] = ""
) -> Response[str]:
    """Show the people seen last, or those that a search finds."""
    text = q.strip().replace("\0", "")
    found = search(reads, text)
    return pages.show(
        visit,
        "people.html",
        page="people",
        query=text,
        people=[person(card) for card in found],
        total=reads.people_count(),
        limit=PEOPLE,
    )


def search(reads: Reads, text: str) -> list[Card]:
    """Return people by the start of an identifier; where there are none, by a whole one in any spelling."""
    found = reads.people(text, PEOPLE)
    if found or not text:
        return found
    for guess in (text, *(f"{kind}:{text}" for kind in KINDS)):
        try:
            return [reads.profile(guess)]
        except MovedPerson as moved:
            return [reads.profile(moved.person_id)]
        except NotFound:
            continue
    return []


@get("/people/{person_id:str}", include_in_schema=False, sync_to_thread=True)
def show_person(
    person_id: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    consents: LedgerHere,
    cursor: FromQuery[str | None] = None,
) -> Response[str] | Redirect:
    """Show one person and a page of what they did."""
    try:
        card = reads.profile(decode(person_id).replace("\0", ""))
    except MovedPerson as moved:
        return Redirect(f"/people/{segment(moved.person_id)}", status_code=308)
    timeline = reads.timeline(card.person_id, cursor=cursor, limit=EVENTS)
    tokens = [consents.tokens.token(i.kind, i.value) for i in card.identifiers]
    return pages.show(
        visit,
        "person.html",
        page="people",
        person=person(card),
        days=days(timeline.events, visit.formats),
        next=timeline.next,
        first_page=cursor is None,
        trait_text=trait_text,
        stands=stands(consents, consents.store.consents.of(tokens), visit.words.language),
    )


ROUTES = [show_people, show_person]
