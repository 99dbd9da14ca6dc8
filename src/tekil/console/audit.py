"""The audit trail as a page: newest first, by who, by act, by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from tekil.access.audit import Act, Entry
from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api.routes import StoreHere
from tekil.console.formats import Formats
from tekil.console.pages import PagesHere
from tekil.console.visit import VisitHere
from tekil.store.audit import Wanted

ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Line:
    """An entry for display. `details` are names and texts."""

    entry: Entry
    details: list[tuple[str, str]]


def line(entry: Entry) -> Line:
    """Return an entry with its details as texts."""
    details: dict[str, Any] = msgspec.json.decode(entry.details)
    return Line(entry, [(name, _text(value)) for name, value in details.items()])


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def midnight(day: str, formats: Formats, later: int = 0) -> int | None:
    """Return when a day (2026-11-22) of the workspace's zone began, in microseconds; nothing for no day."""
    try:
        found = date.fromisoformat(day) + timedelta(days=later)
        return int(datetime(found.year, found.month, found.day, tzinfo=formats.zone).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None


@get("/audit", opt=needs(Permission.AUDIT_READ), include_in_schema=False, sync_to_thread=True)
def show_audit(
    visit: VisitHere,
    pages: PagesHere,
    store: StoreHere,
    actor: FromQuery[str] = "",
    act: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Response[str]:
    """Show who did what, newest first; `since` and `until` are days, both included."""
    chosen = {"actor": actor.strip().replace("\0", ""), "act": act, "since": since, "until": until}
    wanted = Wanted(
        chosen["actor"],
        act if act in set(Act) else "",
        midnight(since, visit.formats),
        midnight(until, visit.formats, later=1),
        int(before) if before.isdecimal() and len(before) < 16 else None,
    )
    found = store.audit.page(wanted, ENTRIES + 1)
    return pages.show(
        visit,
        "audit.html",
        page="audit",
        lines=[line(entry) for entry in found[:ENTRIES]],
        older=found[ENTRIES - 1].number if len(found) > ENTRIES else None,
        chosen=chosen,
        filtered=any(chosen.values()),
        acts=list(Act),
        head=store.audit.head(),
    )


ROUTES = [show_audit]
