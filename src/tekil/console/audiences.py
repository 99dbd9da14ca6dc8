"""Audiences: how many people are in each, how that went, who they are, and who came and went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api import reference as decode
from tekil.audience_reads import OVERLAP_MAX, Audience, AudienceReads, Size
from tekil.console.drawings import crossings, sparkline
from tekil.console.pages import PagesHere
from tekil.console.visit import VisitHere

READ = needs(Permission.AUDIENCES_READ)
AudiencesHere = NamedDependency[SkipValidation[AudienceReads]]

DAYS_SHOWN = 14
PEOPLE_SHOWN = 25


EXAMPLE = """\
kind: audience
name: regulars
title: {tr: Müdavimler, en: Regulars}
spec:
  sql: events_30d >= 10 and last_seen > now() - interval 7 day
"""
"""What to write down where there is none yet: it can be applied as it stands."""


class Row(NamedTuple):
    """An audience in the list, and the drawing of its size over the last days."""

    audience: Audience
    line: str
    area: str


@get("/audiences", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_audiences(
    visit: VisitHere, pages: PagesHere, audiences: AudiencesHere, among: FromQuery[list[str] | None] = None
) -> Response[str]:
    """Show all audiences with their sizes, and how the chosen ones overlap."""
    found = audiences.all()
    now = datetime.now(UTC)
    overlap = audiences.overlap(among) if among else []
    known = {one.name for one in found}
    chosen = [name for name in dict.fromkeys(among or []) if name in known][:OVERLAP_MAX]
    return pages.show(
        visit,
        "audiences.html",
        page="audiences",
        example=EXAMPLE,
        commands=("tekil plan audiences.yaml", "tekil apply audiences.yaml"),
        rows=[Row(one, *drawn(one.history, now)) for one in found],
        chosen=among or [],
        overlap=overlap,
        crossed=chosen,
        crossings=crossings([(one.audiences, one.people) for one in overlap], chosen),
        titles={one.name: one.title_in(visit.words.language) for one in found},
    )


@get("/audiences/{name:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_audience(
    visit: VisitHere,
    pages: PagesHere,
    audiences: AudiencesHere,
    name: FromPath[str],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """Show one audience: what it asks for, its size over time, its people, and who came and went lately."""
    audience = audiences.one(decode(name))
    line, area = drawn(audience.history, datetime.now(UTC))
    members = audiences.people(audience.name, cursor=cursor, limit=PEOPLE_SHOWN)
    return pages.show(
        visit,
        "audience.html",
        page="audiences",
        audience=audience,
        title=audience.title_in(visit.words.language),
        line=line,
        area=area,
        days=DAYS_SHOWN,
        members=members,
        turns=audiences.turns(audience.name),
    )


ROUTES = [show_audiences, show_audience]


def drawn(history: Sequence[Size], now: datetime) -> tuple[str, str]:
    """Return the line of the sizes at the end of each of the last days, and the area beneath it.

    The journal has hours in which a size changed; between them it stayed as it was.
    """
    ends = [now - timedelta(days=DAYS_SHOWN - 1 - day) for day in range(DAYS_SHOWN)]
    sizes = [next((s.people for s in reversed(history) if s.hour <= end), 0) for end in ends]
    return sparkline(sizes) if any(sizes) else ("", "")
