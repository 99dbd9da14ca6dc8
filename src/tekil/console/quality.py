"""Data quality: what is missing, invalid, inconsistent, late or said twice, by source and field."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from litestar import Response, get

from tekil.access.policy import Permission
from tekil.api.declared import needs
from tekil.api.routes import ReadsHere, StoreHere
from tekil.console.drawings import Bar, bars
from tekil.console.pages import PagesHere
from tekil.console.visit import VisitHere
from tekil.dictionary import Dictionary
from tekil.dictionary.health import DAYS, LATE_HOURS, Measure, measures

READ = needs(Permission.DICTIONARY_READ)

LINES_MAX = 200
KINDS = ("missing", "invalid", "inconsistent", "late", "duplicate")


class Line(msgspec.Struct, frozen=True):
    """A measure with its month as bars."""

    measure: Measure
    bars: list[Bar]


@get("/quality", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_quality(visit: VisitHere, pages: PagesHere, reads: ReadsHere, store: StoreHere) -> Response[str]:
    """Show every line of data quality that is not zero, alerts first."""
    dictionary = Dictionary.read(store.definitions)
    is_empty = not reads.ledger().total.accepted
    today = datetime.now(UTC).date()
    found = [] if is_empty else measures(reads.sql, dictionary.alerts, today)
    return pages.show(
        visit,
        "quality.html",
        page="quality",
        lines=[Line(measure, bars(measure.days)) for measure in found[:LINES_MAX]],
        alerts=sum(measure.alert for measure in found),
        kinds={kind: sum(1 for one in found if one.kind == kind) for kind in KINDS},
        limits=dictionary.alerts,
        days=DAYS,
        hours=LATE_HOURS,
    )


ROUTES = [show_quality]
