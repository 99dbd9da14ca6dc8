"""The request desk in the console: what people ask for by right, and how much time is left to answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from tekil.access.audit import Act, Actor
from tekil.access.policy import Permission
from tekil.api import reference as decode
from tekil.api import segment
from tekil.api.declared import needs
from tekil.api.person_export import PersonExport, person_export
from tekil.api.routes import ReadsHere
from tekil.console.assets import Assets
from tekil.console.consents import identified
from tekil.console.consents_view import shown_address
from tekil.console.forms import Form, FormHere
from tekil.console.iys_view import left
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.people_view import trait_text
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, Forbidden, NotFound
from tekil.privacy.desk import (
    CHANNELS,
    DAY_US,
    DECISIONS,
    IDENTITY,
    KINDS,
    URGENT_DAYS,
    Desk,
    urgency,
)
from tekil.reads import Reads
from tekil.store.clock import now_us
from tekil.store.requests import CLOSED, OPEN, SubjectRequest

READ = needs(Permission.REQUESTS_READ)
WRITE = needs(Permission.REQUESTS_WRITE)

DeskHere = NamedDependency[SkipValidation[Desk]]

CLOSED_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A request for display. `left` counts down to its last instant."""

    request: SubjectRequest
    address: str
    notes: str
    urgency: str
    left: str


def _row(desk: Desk, request: SubjectRequest, visit: Visit) -> Row:
    now = now_us()
    return Row(
        request,
        shown_address(desk.ledger, request.subject_kind, request.token),
        desk.ledger.tokens.shown(request.notes),
        urgency(request, now),
        left(timedelta(microseconds=request.due_at - now), visit.words),
    )


@get("/requests", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_requests(visit: VisitHere, pages: PagesHere, desk: DeskHere) -> Response[str]:
    """Show open requests, the most urgent first, the last closed ones, and the form that takes one in."""
    return _list(visit, pages, desk, Form({}))


def _list(visit: Visit, pages: Pages, desk: Desk, form: Form, refusal: str = "") -> Response[str]:
    now = now_us()
    overdue = desk.requests.count_due(now)
    return pages.show(
        visit,
        "requests.html",
        status=400 if refusal else 200,
        page="requests",
        overdue=overdue,
        urgent=desk.requests.count_due(now + URGENT_DAYS * DAY_US) - overdue,
        open=[_row(desk, one, visit) for one in desk.requests.of_status(OPEN)],
        closed=[_row(desk, one, visit) for one in desk.requests.of_status(CLOSED, CLOSED_SHOWN)],
        kinds=KINDS,
        channels=CHANNELS,
        form=form,
        refusal=refusal,
    )


@post("/requests", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def create_request(
    visit: VisitHere, form: FormHere, pages: PagesHere, desk: DeskHere
) -> Response[str] | Redirect:
    """Take in a request; its clock starts with the day it came in."""
    found = identified(desk.ledger, form.one("identifier"))
    if found is None:
        return _list(visit, pages, desk, form, visit.words("consents.no_identifier"))
    try:
        made = desk.create(
            form.one("kind"),
            (found.kind, found.value),
            channel=form.one("channel"),
            created_by=_name(visit),
            notes=form.one("notes"),
        )
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _list(visit, pages, desk, form, refusal)
    desk.ledger.store.audit.append(visit.actor, Act.REQUEST_CHANGED, "request", made.id, kind=made.kind)
    return go(f"/requests/{made.id}")


@get("/requests/{request_id:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_request(
    request_id: FromPath[str], visit: VisitHere, pages: PagesHere, desk: DeskHere
) -> Response[str]:
    """Show one request with what can be done about it."""
    return _one(visit, pages, desk, decode(request_id))


def _one(visit: Visit, pages: Pages, desk: Desk, request_id: str, refusal: str = "") -> Response[str]:
    request = desk.requests.get(request_id.replace("\0", ""))
    return pages.show(
        visit,
        "request.html",
        status=400 if refusal else 200,
        page="requests",
        row=_row(desk, request, visit),
        person=desk.person(request),
        may_correct=desk.rectification is not None and visit.may(Permission.PROFILES_WRITE),
        identities=IDENTITY,
        decisions=DECISIONS,
        refusal=refusal,
    )


@post("/requests/{request_id:str}/identity", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def set_identity(request_id: FromPath[str], visit: VisitHere, form: FormHere, desk: DeskHere) -> Redirect:
    """Note whether the person is who they say."""
    identity = form.one("identity")
    desk.set_identity(decode(request_id), identity)
    desk.ledger.store.audit.append(
        visit.actor, Act.REQUEST_CHANGED, "request", decode(request_id), identity=identity
    )
    return go(f"/requests/{segment(decode(request_id))}")


@post(
    "/requests/{request_id:str}/rectify",
    status_code=200,
    opt=WRITE,
    include_in_schema=False,
    sync_to_thread=True,
)
def rectify(
    request_id: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, desk: DeskHere
) -> Response[str] | Redirect:
    """Correct a trait of whoever asked for it: said through the log, and on record."""
    if not visit.may(Permission.PROFILES_WRITE):
        raise Forbidden("None of your roles corrects profiles.", code="permission_missing")
    name = form.one("name")
    try:
        card = desk.correct(decode(request_id), name, form.one("value"))
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _one(visit, pages, desk, decode(request_id), refusal)
    desk.ledger.store.audit.append(
        visit.actor, Act.RECTIFIED, "person", card.person_id, trait=name, request=decode(request_id)
    )
    return go(f"/requests/{segment(decode(request_id))}")


@post(
    "/requests/{request_id:str}/close",
    status_code=200,
    opt=WRITE,
    include_in_schema=False,
    sync_to_thread=True,
)
def close_request(
    request_id: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, desk: DeskHere
) -> Response[str] | Redirect:
    """Answer a request and do what the answer says."""
    try:
        desk.close(decode(request_id), form.one("decision"), form.one("notes"), _name(visit))
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _one(visit, pages, desk, decode(request_id), refusal)
    desk.ledger.store.audit.append(
        visit.actor, Act.REQUEST_CHANGED, "request", decode(request_id), decision=form.one("decision")
    )
    return go(f"/requests/{segment(decode(request_id))}")


@get("/requests/{request_id:str}/export.json", opt=READ, include_in_schema=False, sync_to_thread=True)
def export_json(
    request_id: FromPath[str], visit: VisitHere, reads: ReadsHere, desk: DeskHere
) -> Response[bytes]:
    """Return what is held about the person, for programs."""
    content = msgspec.json.format(
        msgspec.json.encode(_export(reads, desk, decode(request_id), visit.actor)), indent=2
    )
    return _file(content, MediaType.JSON, "json")


@get("/requests/{request_id:str}/export.html", opt=READ, include_in_schema=False, sync_to_thread=True)
def export_html(
    request_id: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    desk: DeskHere,
    assets: NamedDependency[SkipValidation[Assets]],
) -> Response[bytes]:
    """Return the same for people: one file that needs nothing else, in the reader's language."""
    told = _export(reads, desk, decode(request_id), visit.actor)
    context: dict[str, Any] = {
        "told": told,
        "stylesheet": assets.get("export.css").plain.decode(),
        "trait_text": trait_text,
    }
    return _file(pages.render(visit, "export.html", context).encode(), MediaType.HTML, "html")


def _export(reads: Reads, desk: Desk, request_id: str, by: Actor) -> PersonExport:
    """Return the export. Raises `BadRequest` before the identity is verified, `NotFound` where nobody is."""
    request = desk.requests.get(request_id.replace("\0", ""))
    if request.identity != "verified":
        raise BadRequest("Check the person's identity first.", code="identity_unchecked")
    value = desk.ledger.tokens.reveal(request.token)
    if value is None:
        raise NotFound("The address itself is not known here any more.", code="person_unknown")
    card = reads.profile(f"{request.subject_kind}:{value}", reveal=True)
    desk.ledger.store.audit.append(by, Act.EXPORTED, "person", card.person_id, request=request.id)
    return person_export(reads, desk.ledger, card)


def _file(content: bytes, media_type: MediaType, ending: str) -> Response[bytes]:
    headers = {
        "Content-Disposition": f'attachment; filename="person.{ending}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=media_type, headers=headers)


def _name(visit: Visit) -> str:
    return visit.user.name if visit.user else ""


ROUTES = [
    show_requests,
    create_request,
    show_request,
    set_identity,
    rectify,
    close_request,
    export_json,
    export_html,
]
