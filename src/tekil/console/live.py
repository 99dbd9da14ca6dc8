"""Live: events as they arrive, the ledger, and how fresh the cards are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.console import charts
from tekil.console.drawings import Part, ledger_parts, sparkline
from tekil.console.formats import Formats, parse
from tekil.console.pages import Pages, PagesHere
from tekil.console.people_view import url_path
from tekil.console.visit import Visit, VisitHere
from tekil.reads import Arrival, Freshness, Ledger, MinuteCount, Reads
from tekil.store import Store

READ = needs(Permission.EVENTS_READ)
ARRIVALS = 40
KEEP_SECONDS = 0.8
"""How long a look at the warehouse serves all who watch, so that ten watchers cost as much as one."""


@dataclass(frozen=True, slots=True)
class Now:
    """One look at what is happening. `sources` are all that are known, by name."""

    taken: datetime
    ledger: Ledger
    freshness: Freshness
    arrivals: list[Arrival]
    minutes: list[MinuteCount]
    people: int
    sources: list[str]


class Watch:
    """Looks at what is happening, at most about once a second. Safe for many threads."""

    def __init__(self, reads: Reads, store: Store) -> None:
        """Take what is read through, and the store that knows sources which sent nothing yet."""
        self._reads = reads
        self._store = store
        self._lock = Lock()
        self._now: Now | None = None
        self._until = 0.0

    def now(self) -> Now:
        """Return the latest look."""
        with self._lock:
            if self._now is None or time.monotonic() >= self._until:
                self._now = self._look()
                self._until = time.monotonic() + KEEP_SECONDS
            return self._now

    def _look(self) -> Now:
        ledger = self._reads.ledger()
        named = {source.name for source in self._store.keys.sources()}
        return Now(
            taken=datetime.now(UTC),
            ledger=ledger,
            freshness=self._reads.freshness(),
            arrivals=self._reads.arrivals(ARRIVALS),
            minutes=self._reads.minutes(charts.MINUTES),
            people=self._reads.people_count(),
            sources=sorted(named | {source.source for source in ledger.sources}),
        )


WatchHere = NamedDependency[SkipValidation[Watch]]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source on the Live page, with its last hour as a sparkline."""

    name: str
    last_hour: int
    line: str
    area: str
    last_received: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """An arrival for display. `key` tells it from others, so that only new ones are shown as new."""

    arrival: Arrival
    key: str
    place: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What the Live page shows, from one look."""

    now: Now
    parts: list[Part]
    lines: list[SourceLine]
    rows: list[Row]
    last_minute: int
    last_hour: int
    line: str
    area: str


def figures(now: Now, formats: Formats) -> Figures:
    """Return one look, counted and drawn."""
    rows = charts.minute_rows(now.minutes, now.sources, formats, now.taken)
    width = len(now.sources)
    by_source = {name: [row["events"] for row in rows[i::width]] for i, name in enumerate(now.sources)}
    totals = [sum(minute) for minute in zip(*by_source.values(), strict=True)]
    received = {source.source: source.last_received for source in now.ledger.sources}
    lines = [
        SourceLine(name, sum(counts), *sparkline(counts), received.get(name))
        for name, counts in by_source.items()
    ]
    hour_line, hour_area = sparkline(totals)
    return Figures(
        now=now,
        parts=ledger_parts(now.ledger.total),
        lines=sorted(lines, key=lambda line: -line.last_hour),
        rows=[_row(arrival) for arrival in now.arrivals],
        # The minute under way would always look like a fall, so the last full one is shown.
        last_minute=totals[-2] if totals else 0,
        last_hour=sum(totals),
        line=hour_line,
        area=hour_area,
    )


def _row(arrival: Arrival) -> Row:
    received = parse(arrival.received_at) or datetime.now(UTC)
    key = f"{received.timestamp():.6f} {arrival.source} {arrival.type} {arrival.event} {arrival.person_id}"
    return Row(arrival, key, url_path(arrival.url))


@get("/", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_live(visit: VisitHere, pages: PagesHere, watch: WatchHere) -> Response[str]:
    """Show what is happening."""
    return pages.show(visit, "live.html", page="live", view=figures(watch.now(), visit.formats))


PARTS = ("status", "figures", "ledger", "sources", "arrivals")


@get("/live/now", opt=READ, include_in_schema=False, sync_to_thread=True)
def get_now(visit: VisitHere, pages: PagesHere, watch: WatchHere) -> Response[dict[str, Any]]:
    """Return the parts of the Live page as they are now, and the chart's rows."""
    now = watch.now()
    view = figures(now, visit.formats)
    return Response(
        {
            "parts": {name: pages.render(visit, f"live/{name}.html", {"view": view}) for name in PARTS},
            "sources": now.sources,
            "empty": now.ledger.total.accepted == 0,
            "minutes": charts.minute_rows(now.minutes, now.sources, visit.formats, now.taken),
        },
        headers={"Cache-Control": "no-store"},
    )


def _chart(visit: Visit, pages: Pages, watch: Watch) -> dict[str, Any]:
    now = watch.now()
    rows = charts.minute_rows(now.minutes, now.sources, visit.formats, now.taken)
    return charts.minutes_chart(rows, now.sources, [pages.hues(name) for name in now.sources], visit.words)


@get("/live/chart.json", opt=READ, include_in_schema=False, sync_to_thread=True)
def get_chart(visit: VisitHere, pages: PagesHere, watch: WatchHere) -> Response[dict[str, Any]]:
    """Return the chart's specification and the number format it should use."""
    answer = {"spec": _chart(visit, pages, watch), "locale": charts.number_locale(visit.words)}
    return Response(answer, headers={"Cache-Control": "no-store"})


@get("/live/minutes.svg", opt=READ, include_in_schema=False, sync_to_thread=True)
def get_chart_image(
    visit: VisitHere, pages: PagesHere, watch: WatchHere, theme: FromQuery[str] = "light"
) -> Response[str]:
    """Return the chart as an image, for browsers without scripts."""
    shown = theme if theme in charts.PALETTE else "light"
    drawn = charts.svg(_chart(visit, pages, watch), shown, visit.words)
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


ROUTES = [show_live, get_now, get_chart, get_chart_image]
