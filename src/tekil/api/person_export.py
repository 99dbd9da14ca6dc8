"""Everything that is held about one person, for the person: the answer to a request for access."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Router, get
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from tekil.access.audit import Act
from tekil.api import model, problems
from tekil.api.access import BEARER, actor_of, requires
from tekil.api.consents import ConsentEntry, LedgerHere, entry_view
from tekil.api.paths import reference as decode
from tekil.api.routes import ReadsHere, Reference
from tekil.errors import NotFound
from tekil.privacy.ledger import ConsentLedger
from tekil.reads import Reads
from tekil.store import Card
from tekil.store.requests import SubjectRequest

PAGE = 500


class RequestView(msgspec.Struct, frozen=True):
    """A request that the person made, and what was answered."""

    kind: str
    received_at: datetime
    due_at: datetime
    status: str
    decision: str
    closed_at: datetime | None


class PersonExport(msgspec.Struct, frozen=True):
    """What is held about one person: who they are to us, what they did, what they allowed and asked for."""

    exported_at: datetime
    profile: model.Profile
    events: list[model.Event]
    consents: list[ConsentEntry]
    requests: list[RequestView]


def person_export(reads: Reads, consents: ConsentLedger, card: Card) -> PersonExport:
    """Return everything about the person of a card, events oldest first."""
    events: list[model.Event] = []
    cursor: str | None = None
    while True:
        page = reads.timeline(card.person_id, cursor=cursor, limit=PAGE, reveal=True)
        events += [model.event(row) for row in page.events]
        cursor = page.next
        if cursor is None:
            break
    kept = consents.store.cards.get(card.person_id)
    tokens = [] if kept is None else consents.tokens_of(kept)
    entries = consents.store.consents.of(tokens)
    asked = [request for token in tokens for request in consents.store.requests.of_token(token)]
    return PersonExport(
        datetime.now(UTC),
        model.profile(card),
        events[::-1],
        [entry_view(entry) for entry in entries],
        [_request_view(request) for request in sorted(asked, key=lambda one: one.received_at)],
    )


def _request_view(request: SubjectRequest) -> RequestView:
    return RequestView(
        request.kind,
        model.from_us(request.received_at),
        model.from_us(request.due_at),
        request.status,
        request.decision,
        None if request.closed_at is None else model.from_us(request.closed_at),
    )


@get(
    "/{reference:str}/export",
    summary="Everything that is held about one person",
    tags=["People"],
    guards=[requires("requests:read")],
    security=BEARER,
    responses=problems.responses(400, 401, 403, 404, 503),
    sync_to_thread=True,
)
def export_person(
    reference: Reference, request: Request[Any, Any, Any], reads: ReadsHere, consents: LedgerHere
) -> PersonExport:
    """Return what an access request is answered with: profile, events, consents and requests."""
    decoded = decode(reference)
    if "\0" in decoded:
        raise NotFound("There is nothing by a name with a NUL character in it.", code="not_found")
    card = reads.profile(decoded, reveal=True)
    consents.store.audit.append(actor_of(request), Act.EXPORTED, "person", card.person_id)
    return person_export(reads, consents, card)


def export_routes(reads: Reads, consents: ConsentLedger) -> list[ControllerRouterHandler]:
    """Return the route, to be mounted beside the others of the API."""
    given = {
        "reads": Provide(lambda: reads, sync_to_thread=False),
        "consents": Provide(lambda: consents, sync_to_thread=False),
    }
    return [Router("/v1/profiles", route_handlers=[export_person], dependencies=given)]
