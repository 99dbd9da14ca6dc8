"""Quarantine: what could not be loaded, why, and saying it again once it is mended."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation
from litestar.response import Redirect

from tekil.access.audit import Act, Detail
from tekil.access.policy import Permission
from tekil.api import segment
from tekil.api.declared import needs
from tekil.api.routes import ReadsHere, StoreHere
from tekil.console.explaining import Explained, explain
from tekil.console.forms import FormHere
from tekil.console.language import Words
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, Unavailable
from tekil.load import Chosen, QuarantineDesk
from tekil.reads import Reads

READ = needs(Permission.EVENTS_READ)
WRITE = needs(Permission.QUARANTINE_WRITE)

DeskHere = NamedDependency[SkipValidation[QuarantineDesk | None]]

SHOWN = 20
GROUPS = """
SELECT source, reasons, sum(messages) AS messages, max(received_at) AS last_received
FROM quarantine GROUP BY source, reasons
"""


class Group(msgspec.Struct, frozen=True):
    """The messages of a source that have a reason."""

    source: str
    reason: Explained
    messages: int
    last_received: Any


class Waiting(msgspec.Struct, frozen=True):
    """A quarantined message as the page shows it: its place, its reasons in words, its text over lines."""

    position: int
    number: int
    source: str
    received_at: Any
    reasons: list[Explained]
    body: str


@get("/quarantine", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_quarantine(
    visit: VisitHere,
    pages: PagesHere,
    reads: ReadsHere,
    quarantined: DeskHere,
    source: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    said: FromQuery[int] = -1,
) -> Response[str]:
    """Show what waits, by source and reason, with the newest messages of what was chosen."""
    return _show(visit, pages, reads, quarantined, source, reason, said=said)


def _show(
    visit: Visit,
    pages: Pages,
    reads: Reads,
    quarantined: QuarantineDesk | None,
    source: str,
    reason: str,
    *,
    said: int = -1,
    refusal: str = "",
) -> Response[str]:
    chosen = Chosen(source or None, reason or None, limit=SHOWN)
    rows = quarantined.find(chosen) if quarantined is not None else []
    return pages.show(
        visit,
        "quarantine.html",
        status=400 if refusal else 200,
        page="quarantine",
        groups=groups(reads, visit.words),
        source=source,
        reason=explain(reason, visit.words) if reason else None,
        rows=[_waiting(row, visit.words) for row in rows],
        said=said,
        refusal=refusal,
    )


def groups(reads: Reads, words: Words) -> list[Group]:
    """Return how many messages wait for each source and reason, the most first."""
    counted: dict[tuple[str, str], tuple[int, Any]] = {}
    for quarantined in reads.sql(GROUPS).to_pylist() if reads.ledger().total.quarantined else []:
        for reason in quarantined["reasons"].split(","):
            messages, last = counted.get((quarantined["source"], reason), (0, quarantined["last_received"]))
            counted[quarantined["source"], reason] = (
                messages + int(quarantined["messages"]),
                max(last, quarantined["last_received"]),
            )
    found = [
        Group(source, explain(reason, words), messages, last)
        for (source, reason), (messages, last) in counted.items()
    ]
    return sorted(found, key=lambda group: (-group.messages, group.source, group.reason.code))


def _waiting(row: dict[str, Any], words: Words) -> Waiting:
    try:
        body = msgspec.json.format(row["body"], indent=2)
    except msgspec.DecodeError:
        body = row["body"]
    reasons = [explain(reason, words) for reason in row["reasons"].split(",")]
    return Waiting(row["position"], row["number"], row["source"], row["received_at"], reasons, body)


@post("/quarantine/replay", opt=WRITE, include_in_schema=False, sync_to_thread=True)
def replay(
    visit: VisitHere,
    form: FormHere,
    pages: PagesHere,
    reads: ReadsHere,
    quarantined: DeskHere,
    store: StoreHere,
) -> Response[str] | Redirect:
    """Say messages again: one, as it is or mended in the form, or all of a source and reason."""
    if quarantined is None:
        raise Unavailable("The engine is not here; ask again when it runs.", code="engine_unavailable")
    source, reason = form.one("source"), form.one("reason")
    place, mended = form.one("place"), form.one("message")
    try:
        if place:
            position, _, number = place.partition("-")
            chosen = Chosen(position=_number(position), number=_number(number))
            said = quarantined.replay(chosen, mended or None)
        else:
            said = quarantined.replay(Chosen(source or None, reason or None))
        told: dict[str, Detail] = {"source": source, "reason": reason, "messages": said}
        store.audit.append(visit.actor, Act.QUARANTINE_REPLAYED, "quarantine", place, **told)
    except BadRequest as error:
        refusal = visit.words.known(f"error.{error.code}", error.message)
        return _show(visit, pages, reads, quarantined, source, reason, refusal=refusal)
    return go(f"/quarantine?source={segment(source)}&reason={segment(reason)}&said={said}")


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise BadRequest("The form does not say which message.", code="form_invalid")
    return int(text)


ROUTES = [show_quarantine, replay]
