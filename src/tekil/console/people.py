"""People: who was seen last, who has an identifier, and everything known of one of them."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Access, Condition, Permission
from tekil.api import needs, segment
from tekil.api import reference as decode
from tekil.api.consents import LedgerHere
from tekil.api.routes import ReadsHere
from tekil.console.consents_view import stands
from tekil.console.forms import FormHere
from tekil.console.groupings import belonging
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.people_view import days, feature_text, person, trait_text
from tekil.console.requests import DeskHere
from tekil.console.standing import standing
from tekil.console.visit import Visit, VisitHere
from tekil.console.who import WhoHere, WhoIsWho
from tekil.definitions import stored
from tekil.errors import BadRequest, NotFound
from tekil.load import seal_text
from tekil.privacy import mask_of
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.rectification import OBJECTION
from tekil.reads import MovedPerson, Page, Reads, profile_within
from tekil.store import Card, Store

KINDS = ("email", "phone", "user_id", "anonymous_id")
"""What a search may mean when it does not say, likeliest first."""

PEOPLE = 50
EVENTS = 50


AUDIENCES = Access(Permission.AUDIENCES_READ)
READ = needs(Permission.PROFILES_READ, keeps_to_condition=True)
CORRECT = needs(Permission.PROFILES_WRITE, keeps_to_condition=True)
REVEAL = needs(Permission.PROFILES_REVEAL, keeps_to_condition=True)

PURPOSE_MIN, PURPOSE_MAX = 3, 200
"""Characters of what somebody says they need to see a person's values for."""


@get("/people", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_people(
    visit: VisitHere, pages: PagesHere, reads: ReadsHere, q: FromQuery[str] = ""
) -> Response[str]:
    """Show the people seen last, or those that a search finds."""
    text = q.strip().replace("\0", "")
    found = search(reads, text, visit.within)
    return pages.show(
        visit,
        "people.html",
        page="people",
        query=text,
        people=[person(card) for card in found],
        total=reads.people_count(visit.within),
        limit=PEOPLE,
    )


def search(reads: Reads, text: str, within: Condition | None = None) -> list[Card]:
    """Return people by the start of an identifier; where there are none, by a whole one in any spelling."""
    found = reads.people(text, PEOPLE, within)
    if found or not text:
        return found
    for guess in (text, *(f"{kind}:{text}" for kind in KINDS)):
        try:
            return [profile_within(reads, guess, within)]
        except MovedPerson as moved:
            return [profile_within(reads, moved.person_id, within)]
        except NotFound:
            continue
    return []


@get("/people/{person_id:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_person(
    person_id: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    consents: LedgerHere,
    who: WhoHere,
    cursor: FromQuery[str | None] = None,
    corrected: FromQuery[str] = "",
) -> Response[str] | Redirect:
    """Show one person and a page of what they did."""
    try:
        card = profile_within(reads, _id(person_id), visit.within)
    except MovedPerson as moved:
        return Redirect(f"/people/{segment(moved.person_id)}", status_code=308)
    return _show(card, visit, pages, reads, consents, who, cursor, corrected=bool(corrected))


@post("/people/{person_id:str}", opt=REVEAL, status_code=200, include_in_schema=False, sync_to_thread=True)
def reveal_person(
    person_id: FromPath[str],
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    reads: ReadsHere,
    consents: LedgerHere,
    who: WhoHere,
) -> Response[str] | Redirect:
    """Show one person's values unmasked, this once, to somebody who says what for; that is put on record."""
    purpose = form.one("purpose").replace("\0", "")
    has_purpose = len(purpose) >= PURPOSE_MIN
    card = profile_within(reads, _id(person_id), visit.within, reveal=has_purpose)
    if not has_purpose:
        refusal = visit.words("person.purpose_missing")
        return _show(card, visit, pages, reads, consents, who, None, refusal=refusal)
    told = seal_text(purpose[:PURPOSE_MAX], mask_of)
    consents.store.audit.append(visit.actor, Act.REVEALED, "person", card.person_id, purpose=told)
    return _show(card, visit, pages, reads, consents, who, None, reveal=True)


@post(
    "/people/{person_id:str}/rectify",
    opt=CORRECT,
    status_code=200,
    include_in_schema=False,
    sync_to_thread=True,
)
def rectify_person(
    person_id: FromPath[str],
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    reads: ReadsHere,
    consents: LedgerHere,
    desk: DeskHere,
    who: WhoHere,
) -> Response[str] | Redirect:
    """Correct a trait of a person: said through the log, where it outranks what others say, and on record."""
    card = profile_within(reads, _id(person_id), visit.within)
    kept = consents.store.cards.get(card.person_id)
    name = form.one("name")
    try:
        if desk.rectification is None or kept is None:
            raise BadRequest("Profiles cannot be corrected here.", code="person_unknown")
        desk.rectification.correct(kept, name, form.one("value"))
    except BadRequest as error:
        told = visit.words.known(f"error.{error.code}", error.message)
        return _show(card, visit, pages, reads, consents, who, None, wrong=told)
    consents.store.audit.append(visit.actor, Act.RECTIFIED, "person", card.person_id, trait=name)
    return go(f"/people/{segment(card.person_id)}?corrected=yes")


def titles_of(store: Store, visit: Visit) -> dict[tuple[str, str], str]:
    """Return what features and audiences are called in the reader's language, by kind and name."""
    versions = [v for kind in ("audience", "feature") for v in store.definitions.current(kind)]
    return {(v.kind, v.name): stored(v).title_in(visit.words.language) for v in versions}


def _id(person_id: str) -> str:
    return decode(person_id).replace("\0", "")


def _show(
    card: Card,
    visit: Visit,
    pages: Pages,
    reads: Reads,
    consents: ConsentLedger,
    whose: WhoIsWho,
    cursor: str | None,
    *,
    reveal: bool = False,
    refusal: str = "",
    corrected: bool = False,
    wrong: str = "",
) -> Response[str]:
    who, timeline = person(card), Page([], None)
    if visit.may(Permission.EVENTS_READ):
        timeline = reads.timeline(card.person_id, cursor=cursor, limit=EVENTS, reveal=reveal)
    return pages.show(
        visit,
        "person.html",
        status=400 if refusal or wrong else 200,
        page="people",
        person=who,
        days=days(timeline.events, visit.formats),
        next=timeline.next,
        first_page=cursor is None,
        trait_text=trait_text,
        feature_text=feature_text,
        titles=titles_of(consents.store, visit),
        may_see_audiences=visit.opens(AUDIENCES),
        standing=standing(consents.store, who.profile, visit),
        belongs=belonging(visit, whose.groupings, card.person_id),
        stands=stands(consents, consents.entries_of(card.person_id), visit.words.language),
        may_reveal=visit.may(Permission.PROFILES_REVEAL) and not reveal,
        may_correct=visit.may(Permission.PROFILES_WRITE),
        objects=(who.profile.traits or {}).get(OBJECTION) is True,
        refusal=refusal,
        corrected=corrected,
        wrong=wrong,
    )


ROUTES = [show_people, show_person, reveal_person, rectify_person]
