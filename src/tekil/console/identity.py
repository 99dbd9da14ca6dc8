"""Identity in the console: why somebody is one person, what was refused or is shared, and who is who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import needs, segment
from tekil.api import reference as decode
from tekil.api.routes import ReadsHere, StoreHere
from tekil.console.drawings import Bar, bars
from tekil.console.forms import Form, FormHere
from tekil.console.graph import draw
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.people_view import person
from tekil.console.visit import Visit, VisitHere
from tekil.console.who import WhoHere, WhoIsWho
from tekil.errors import BadRequest, NotFound
from tekil.identity import IdentityDesk, Moment, Overview, person_id, person_key
from tekil.privacy.typed import check_typed
from tekil.reads import MovedPerson, profile_within
from tekil.store.links import WAITING

OF_PERSON = needs(Permission.PROFILES_READ, keeps_to_condition=True)
READ = needs(Permission.PROFILES_READ)
WRITE = needs(Permission.IDENTITY_WRITE)

ACTS = ("merge", "split", "withdraw", "share")
REASON_MAX = 500
BY_EVIDENCE = ("begun", "joined", "merged")
TIES_FIRST, TIES_MAX = 20, 200
"""Links that are told as text, the strongest: at once, and by one more click."""

MOMENTS_MAX = 100
REFUSED_FIRST = 8
RUN_LEAST = 3
"""So many identifiers or more that joined one after the other are told as one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A size of the distribution as a bar, `width` of a hundred wide."""

    least: int
    most: int | None
    persons: int
    width: float


@get("/people/{person_id:str}/identity", opt=OF_PERSON, include_in_schema=False, sync_to_thread=True)
def show_person_identity(
    person_id: FromPath[str], visit: VisitHere, pages: PagesHere, reads: ReadsHere, who: WhoHere
) -> Response[str] | Redirect:
    """Show why somebody is one person: the picture, the evidence as text, and how it came about."""
    asked = decode(person_id).replace("\0", "")
    try:
        known = person(profile_within(reads, asked, visit.within))
    except MovedPerson as moved:
        return Redirect(f"/people/{segment(moved.person_id)}/identity", status_code=308)
    except NotFound:
        # Who never did anything has no card, and may still stand in somebody's way.
        if visit.within is not None or who.desk is None:
            raise
        known = None
    desk = _opened(who.desk)
    portrait = desk.portray(asked if known is None else known.profile.person_id)
    # Whoever may see some people only is told nothing of those who were refused.
    with_others = visit.within is None
    told = [one for one in portrait.moments[::-1] if with_others or one.what in BY_EVIDENCE]
    return pages.show(
        visit,
        "person_identity.html",
        page="people",
        person=known,
        portrait=portrait,
        graph=draw(portrait, with_others=with_others),
        ties=portrait.ties[:TIES_MAX],
        refused=portrait.refused if with_others else [],
        first_ties=TIES_FIRST,
        first_refused=REFUSED_FIRST,
        runs=runs(told)[:MOMENTS_MAX],
        may_say=visit.may(Permission.IDENTITY_WRITE) and with_others,
    )


def runs(moments: Sequence[Moment]) -> list[list[Moment]]:
    """Return moments, each alone, but for identifiers that joined one after the other: those together."""
    found: list[list[Moment]] = []
    for is_joining, group in groupby(moments, key=lambda moment: moment.what == "joined"):
        together = list(group)
        is_run = is_joining and len(together) >= RUN_LEAST
        found += [together] if is_run else [[one] for one in together]
    return found


def _opened(desk: IdentityDesk | None) -> IdentityDesk:
    if desk is None:
        raise BadRequest("Identity cannot be looked at here.", code="identity_unavailable")
    return desk


@get("/identity", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_identity(
    visit: VisitHere,
    pages: PagesHere,
    who: WhoHere,
    act: FromQuery[str] = "merge",
    one: FromQuery[str] = "",
    other: FromQuery[str] = "",
    said: FromQuery[str] = "",
) -> Response[str]:
    """Show conflicts, what is shared and how large people are, and the form that says who is who."""
    told = {"act": [act], "one": [one], "other": [other]}
    return _page(visit, pages, who, Form(told), said=said if said in ACTS else "")


def _page(
    visit: Visit, pages: Pages, who: WhoIsWho, form: Form, *, said: str = "", refusal: str = ""
) -> Response[str]:
    over = None if who.desk is None else who.desk.look_over()
    return pages.show(
        visit,
        "identity.html",
        status=400 if refusal else 200,
        page="identity",
        over=over if over and over.identifiers else None,
        waiting=None if who.linking is None else who.linking.desk.counts()[WAITING],
        steps=steps(over) if over else [],
        bars=_bars(over),
        acts=ACTS,
        undo="withdraw",
        form=form,
        said=said,
        refusal=refusal,
        may_say=visit.may(Permission.IDENTITY_WRITE),
    )


def steps(over: Overview) -> list[Step]:
    """Return the distribution of sizes as bars; a size that anybody has is never nothing."""
    top = max([size.persons for size in over.sizes] + [1])
    return [
        Step(
            size.least,
            size.most,
            size.persons,
            round(max(100 * size.persons / top, 0.6), 2) if size.persons else 0.0,
        )
        for size in over.sizes
    ]


def _bars(over: Overview | None) -> list[Bar]:
    return bars(over.conflict_days, 360.0, 64.0) if over and any(over.conflict_days) else []


def reference_of(text: str) -> str:
    """Return what somebody typed as a reference: what they mean shows by its form where they name no kind.

    >>> reference_of("ayse@example.com"), reference_of("0532 123 45 67"), reference_of("M-17")
    ('email:ayse@example.com', 'phone:0532 123 45 67', 'user_id:M-17')
    """
    if ":" in text or person_key(text) is not None:
        return text
    if "@" in text:
        return f"email:{text}"
    is_phone = len(text) > 9 and not text.strip("+0123456789 ()-")
    return f"{'phone' if is_phone else 'user_id'}:{text}"


@post("/identity/plan", opt=WRITE, status_code=200, include_in_schema=False, sync_to_thread=True)
def plan_identity(visit: VisitHere, form: FormHere, pages: PagesHere, who: WhoHere) -> Response[str]:
    """Show what saying it would do. Changes nothing."""
    desk = _opened(who.desk)
    act = form.one("act")
    try:
        one, other = _ends(form)
        reason = check_typed(form.one("reason")[:REASON_MAX], "The reason")
        plan = desk.masked(desk.plan(act, one, other))
    except (BadRequest, NotFound) as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _page(visit, pages, who, form, refusal=refusal)
    # What was typed goes no further: keys stand for the identifiers from here on.
    keys = [person_id(desk.key(end)) for end in (one, other or one)]
    return pages.show(
        visit, "identity_plan.html", page="identity", plan=plan, one=keys[0], other=keys[1], reason=reason
    )


def _ends(form: Form) -> tuple[str, str | None]:
    """Return what the form names, the second only where it is another."""
    one, other = (form.one(name).replace("\0", "") for name in ("one", "other"))
    if not one:
        raise BadRequest("Name an identifier.", code="identifiers_wrong")
    return reference_of(one), reference_of(other) if other and other != one else None


@post("/identity/apply", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def apply_identity(
    visit: VisitHere, form: FormHere, pages: PagesHere, who: WhoHere, store: StoreHere
) -> Response[str] | Redirect:
    """Say it through the log, with who says it and why; the engine acts on it in its next cycle."""
    desk = _opened(who.desk)
    try:
        plan = desk.plan(form.one("act"), *_ends(form))
        reason = check_typed(form.one("reason")[:REASON_MAX], "The reason")
    except (BadRequest, NotFound) as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _page(visit, pages, who, form, refusal=refusal)
    desk.say(plan, by=visit.user.name if visit.user else "", reason=reason)
    people = tuple(party.person_id for party in plan.people)
    store.audit.append(visit.actor, Act.IDENTITY_SAID, "person", people[0], said=plan.act, people=people)
    return go(f"/identity?said={plan.act}")


ROUTES = [show_person_identity, show_identity, plan_identity, apply_identity]
