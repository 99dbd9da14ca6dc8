"""Erasure at the request desk: the plan, the deed, which wants a second factor, and the proof."""

from __future__ import annotations

import msgspec
from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import reference as decode
from tekil.api import segment
from tekil.api.declared import needs
from tekil.console.gate import is_fresh
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.requests import DeskHere
from tekil.console.visit import Visit, VisitHere
from tekil.erasure import ErasureDesk, Plan, Proof
from tekil.errors import BadRequest, NotFound
from tekil.privacy.desk import Desk
from tekil.store.requests import OPEN, SubjectRequest

RUN = needs(Permission.ERASURE_RUN)
READ = needs(Permission.REQUESTS_READ)

ErasuresHere = NamedDependency[SkipValidation[ErasureDesk | None]]


@get("/requests/{request_id:str}/erasure", opt=RUN, include_in_schema=False, sync_to_thread=True)
def show_plan(
    request_id: FromPath[str], visit: VisitHere, pages: PagesHere, desk: DeskHere, erasures: ErasuresHere
) -> Response[str]:
    """Show what erasing the person of a request would do, and the button that does it."""
    request = _asked(desk, request_id)
    plan = _running(erasures).plan(_reference(desk, request), visit.actor)
    return _plan_page(visit, pages, request, plan)


def _plan_page(visit: Visit, pages: Pages, request: SubjectRequest, plan: Plan) -> Response[str]:
    return pages.show(
        visit,
        "erasure.html",
        page="requests",
        request=request,
        plan=plan,
        fresh=is_fresh(visit),
        going=[one for one in plan.traces if one.what != "keep" and one.rows],
        kept=[one for one in plan.traces if one.what == "keep"],
    )


@post(
    "/requests/{request_id:str}/erasure",
    status_code=200,
    opt=RUN,
    include_in_schema=False,
    sync_to_thread=True,
)
def erase(request_id: FromPath[str], visit: VisitHere, desk: DeskHere, erasures: ErasuresHere) -> Redirect:
    """Erase the person, keep the proof, and answer the request."""
    request = _asked(desk, request_id)
    proof = _running(erasures).apply(_reference(desk, request), visit.actor, request.id)
    name = visit.user.name if visit.user else ""
    desk.close(request.id, "granted", visit.words("erasure.note", proof=proof.destruction), name)
    desk.ledger.store.audit.append(
        visit.actor, Act.REQUEST_CHANGED, "request", request.id, decision="granted"
    )
    return go(f"/requests/{segment(request.id)}")


@get("/requests/{request_id:str}/proof.html", opt=READ, include_in_schema=False, sync_to_thread=True)
def proof_html(
    request_id: FromPath[str],
    visit: VisitHere,
    pages: PagesHere,
    desk: DeskHere,
) -> Response[bytes]:
    """Return the proof for people: one page to print, in the reader's language."""
    request, proof = _proof(desk, request_id)
    content = pages.render(visit, "proof.html", {"request": request, "proof": proof}).encode()
    return Response(content, media_type=MediaType.HTML, headers={"Cache-Control": "no-store"})


@get("/requests/{request_id:str}/proof.json", opt=READ, include_in_schema=False, sync_to_thread=True)
def proof_json(request_id: FromPath[str], desk: DeskHere) -> Response[bytes]:
    """Return the proof for programs."""
    _, proof = _proof(desk, request_id)
    headers = {"Content-Disposition": 'attachment; filename="proof.json"', "Cache-Control": "no-store"}
    content = msgspec.json.format(msgspec.json.encode(proof), indent=2)
    return Response(content, media_type=MediaType.JSON, headers=headers)


def _proof(desk: Desk, request_id: str) -> tuple[SubjectRequest, Proof]:
    request = desk.requests.get(decode(request_id).replace("\0", ""))
    found = desk.ledger.store.destructions.newest(1, kind="erasure", reason=request.id)
    if not found or found[0].done_at is None:
        raise NotFound("Nothing was erased for this request.", code="never_erased")
    return request, msgspec.convert(found[0].proof, Proof)


def _asked(desk: Desk, request_id: str) -> SubjectRequest:
    """Return an open request for erasure whose person was checked. Raises `BadRequest` for any other."""
    request = desk.requests.get(decode(request_id).replace("\0", ""))
    if request.kind != "erasure" or request.status != OPEN:
        raise BadRequest("This is no open request for erasure.", code="request_not_erasure")
    if request.identity != "verified":
        raise BadRequest("Check the person's identity first.", code="identity_unchecked")
    return request


def _reference(desk: Desk, request: SubjectRequest) -> str:
    value = desk.ledger.tokens.reveal(request.token)
    if value is None:
        raise NotFound("The address itself is not known here any more.", code="person_unknown")
    return f"{request.subject_kind}:{value}"


def _running(erasures: ErasureDesk | None) -> ErasureDesk:
    if erasures is None:
        raise NotFound("No engine runs here that could erase anybody.", code="engine_away")
    return erasures


ROUTES = [show_plan, erase, proof_html, proof_json]
