"""Consents: how many are valid, who chose what and how that is proven, and recording a choice."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from tekil.access.audit import Act
from tekil.access.policy import Permission
from tekil.api import segment
from tekil.api.consents import LedgerHere, split
from tekil.api.declared import needs
from tekil.config import Config
from tekil.console.consents_view import chosen, grid, stands, today
from tekil.console.forms import Form, FormHere
from tekil.console.iys_view import iys_rows
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest
from tekil.privacy.consents import Named
from tekil.privacy.ledger import ConsentLedger
from tekil.store.iys import OVERDUE, REJECTED, WAITING

READ = needs(Permission.CONSENTS_READ)
WRITE = needs(Permission.CONSENTS_WRITE)

NEWEST = 30
IYS_ROWS = 100
GUESSES = ("email", "phone", "user_id", "anonymous_id")
"""What a search may mean that does not say its kind, likeliest first."""


@get("/consents", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_consents(
    visit: VisitHere, pages: PagesHere, consents: LedgerHere, q: FromQuery[str] = ""
) -> Response[str]:
    """Show how many consents are valid, and the choices of whoever is searched for."""
    return _page(visit, pages, consents, q.strip().replace("\0", ""), Form({}))


def _page(
    visit: Visit, pages: Pages, consents: ConsentLedger, query: str, form: Form, refusal: str = ""
) -> Response[str]:
    language = visit.words.language
    found = identified(consents, query) if query else None
    entries = []
    if found is not None:
        owned = consents.known_as(found.kind, found.value)
        entries = consents.entries(owned)
    ledger = consents.store.consents
    return pages.show(
        visit,
        "consents.html",
        status=400 if refusal else 200,
        page="consents",
        query=query,
        found=found,
        stands=stands(consents, entries, language),
        rows=grid(
            consents.purposes,
            ledger.changes(),
            ledger.totals(),
            today(visit.formats, datetime.now(UTC)),
            language,
        ),
        newest=chosen(consents, ledger.newest(NEWEST), language),
        choices=[(p.title.in_language(language), p.name, p.channels) for p in consents.purposes],
        form=form,
        refusal=refusal,
    )


def identified(consents: ConsentLedger, text: str) -> Named | None:
    """Return the identifier that a text means: `kind:value`, or a value whose kind it looks like."""
    kind, value = split(text)
    guesses = [(kind, value)] if kind in GUESSES else [(guess, text) for guess in GUESSES]
    for guess, guessed in guesses:
        try:
            return consents.named(guess, guessed)
        except BadRequest:
            continue
    return None


@post("/consents", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def record_consent(
    visit: VisitHere, form: FormHere, pages: PagesHere, consents: LedgerHere
) -> Response[str] | Redirect:
    """Record a choice that somebody told a colleague; whoever is signed in answers for it."""
    found = identified(consents, form.one("identifier"))
    purpose, _, channel = form.one("choice").partition(":")
    if found is None or form.one("given") not in ("yes", "no"):
        return _page(visit, pages, consents, "", form, visit.words("consents.incomplete"))
    note = form.one("note").replace("\0", "")
    try:
        entry = consents.record(
            found.kind,
            found.value,
            purpose,
            channel,
            form.one("given") == "yes",
            source="console",
            recorded_by=visit.user.name if visit.user else "",
            proof={"note": note} if note else {},
        )
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _page(visit, pages, consents, "", form, refusal)
    consents.store.audit.append(
        visit.actor, Act.CONSENT_RECORDED, "consent", entry.id, purpose=purpose, channel=channel
    )
    return go(f"/consents?q={segment(f'{found.kind}:{found.value}')}")


@get("/consents/iys", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_iys(
    visit: VisitHere, pages: PagesHere, consents: LedgerHere, settings: NamedDependency[Config]
) -> Response[str]:
    """Show what waits for İYS and until when, what it refused and why, and what came too late."""
    records = consents.store.iys
    return pages.show(
        visit,
        "iys.html",
        page="consents",
        configured=bool(settings.iys.base_url),
        counts=records.counts(),
        waiting=iys_rows(consents, records.of_state(WAITING, IYS_ROWS), visit),
        overdue=iys_rows(consents, records.of_state(OVERDUE, IYS_ROWS), visit),
        rejected=iys_rows(consents, records.of_state(REJECTED, IYS_ROWS), visit),
    )


ROUTES = [show_consents, record_consent, show_iys]
