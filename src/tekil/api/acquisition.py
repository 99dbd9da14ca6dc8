"""Acquisition's routes: what advertising cost and brought, by which model, and whose doing it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from tekil.acquisition.attribution import Attribution
from tekil.acquisition.campaigns import CampaignLink, build_link
from tekil.acquisition.cohorts import Unit
from tekil.acquisition.reads import AcquisitionReads, Line
from tekil.acquisition.reports import Dimension, Period
from tekil.api import model, problems
from tekil.api.access import BEARER, requires
from tekil.api.paths import reference as decode

Model = Literal[
    "first",
    "last",
    "last_non_direct",
    "linear",
    "position_u",
    "position_w",
    "time_decay",
    "markov",
    "shapley",
]
Conversion = Annotated[str | None, QueryParameter(description="A conversion's name; otherwise the first.")]
Day = Annotated[
    str | None, QueryParameter(description="A day such as 2026-11-20; otherwise the last 30 days.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]


class LineShown(msgspec.Struct, frozen=True):
    """What one thing cost and brought, in the workspace's currency; without spend there is no `roas`."""

    name: str
    impressions: int
    clicks: int
    visits: int
    cost: float
    conversions: float
    value: float
    roas: float | None
    cpa: float | None


class ReportShown(msgspec.Struct, frozen=True):
    """A report's lines, their sum, and the SQL that gave them."""

    conversion: str
    model: str
    since: str
    until: str
    currency: str
    lines: list[LineShown]
    total: LineShown
    sql: str


class RowsShown(msgspec.Struct, frozen=True):
    """Rows of a report, and the SQL that gave them."""

    rows: list[dict[str, Any]]
    sql: str


class FigureShown(msgspec.Struct, frozen=True):
    """A key figure in the period and in the one before; null where it has no value."""

    name: str
    title: dict[str, str]
    unit: str
    goal: float | None
    value: float | None
    before: float | None
    sql: str


class FiguresShown(msgspec.Struct, frozen=True):
    """All key figures in force."""

    figures: list[FigureShown]


class PersonShown(msgspec.Struct, frozen=True):
    """Somebody behind a figure, with personal values masked, and their part of it."""

    person_id: str
    identifiers: list[model.ProfileIdentifier]
    day: str
    value: float
    conversions: float


class PeopleShown(msgspec.Struct, frozen=True):
    """The people behind a figure, and the SQL that found them."""

    people: list[PersonShown]
    sql: str


class RunShown(msgspec.Struct, frozen=True):
    """The last time credit was shared out; null before the first. `problem` says what kept the next one."""

    version: int | None
    made_at: datetime | None
    is_running: bool
    problem: str


class WantedLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address, and where its visitors are to come from."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    medium: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    campaign: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    term: Annotated[str, msgspec.Meta(max_length=100)] = ""
    content: Annotated[str, msgspec.Meta(max_length=100)] = ""


class LinkShown(msgspec.Struct, frozen=True):
    """The address to publish."""

    url: str


def acquisition_routes(reads: AcquisitionReads, attribution: Attribution) -> Router:
    """Return the routes, over what reads acquisition and what shares out credit."""
    handlers = [*_reports(reads), *_figures(reads), *_runs(reads, attribution)]
    return Router("/v1/acquisition", route_handlers=handlers)


TOLD: dict[str, Any] = {
    "tags": ["Acquisition"],
    "guards": [requires("acquisition:read")],
    "security": BEARER,
    "sync_to_thread": True,
    "responses": problems.responses(400, 401, 403, 404, 503),
}


def _reports(reads: AcquisitionReads) -> list[Any]:
    @get("/report", summary="Spend beside what it brought", **TOLD)
    def get_report(
        by: FromQuery[Dimension] = "channel",
        conversion: Conversion = None,
        model: FromQuery[Model] = "last_non_direct",
        since: Day = None,
        until: Day = None,
        channel: FromQuery[str | None] = None,
        campaign: FromQuery[str | None] = None,
    ) -> ReportShown:
        """Return what each channel, source, campaign, keyword or day cost, and what is credited to it."""
        question = reads.ask(conversion, model, since, until, _kept_to(channel, campaign))
        report = reads.breakdown(question, by)
        period = question.period
        of = (question.conversion, question.model, str(period.since), str(period.until), reads.currency)
        return ReportShown(*of, [_line(line) for line in report.lines], _line(report.total), report.sql)

    @get("/models", summary="What each model credits each channel with", **TOLD)
    def get_models(conversion: Conversion = None, since: Day = None, until: Day = None) -> RowsShown:
        """Return the value that every model of attribution gives every channel."""
        table = reads.models(reads.ask(conversion, None, since, until))
        return _rows(table.rows, table.sql)

    @get("/shares", summary="What data-driven models learned of each channel", **TOLD)
    def get_shares(conversion: Conversion = None) -> RowsShown:
        """Return each channel's share by Markov and Shapley, and between what it lies nine times of ten."""
        table = reads.intervals(reads.ask(conversion).conversion)
        return _rows(table.rows, table.sql)

    @get("/paths", summary="The paths that led to conversions", **TOLD)
    def get_paths(conversion: Conversion = None, since: Day = None, until: Day = None) -> RowsShown:
        """Return the paths of channels by which most conversions came."""
        table = reads.paths(reads.ask(conversion, None, since, until))
        return _rows(table.rows, table.sql)

    return [get_report, get_models, get_shares, get_paths]


def _figures(reads: AcquisitionReads) -> list[Any]:
    @get("/figures", summary="Key figures", **TOLD)
    def get_figures(since: Day = None, until: Day = None) -> FiguresShown:
        """Return all key figures in force, in a period and in the one before."""
        figures = reads.figures(reads.ask(None, None, since, until).period)
        return FiguresShown(
            [
                FigureShown(f.name, f.title, f.unit, f.goal, _float(f.value), _float(f.before), f.sql)
                for f in figures
            ]
        )

    @get("/funnels/{name:str}", summary="How far people got through a funnel", **TOLD)
    def get_funnel(name: FromPath[str], since: Day = None, until: Day = None) -> RowsShown:
        """Return how many people reached each step of a funnel in force, by its breakdown."""
        _, spec = reads.funnel_of(decode(name))
        table = reads.funnel(spec, Period.parse(since, until, reads.today()))
        return _rows(table.rows, table.sql)

    @get("/cohorts", summary="Who came back when", **TOLD)
    def get_cohorts(conversion: Conversion = None, by: FromQuery[Unit] = "month") -> RowsShown:
        """Return people by when they first converted, and how many did again in which period after."""
        table = reads.cohorts(reads.ask(conversion).conversion, by)
        return _rows(table.rows, table.sql)

    @get("/people", summary="The people behind a figure", **TOLD)
    def get_people(
        conversion: Conversion = None,
        model: FromQuery[Model] = "last_non_direct",
        since: Day = None,
        until: Day = None,
        channel: FromQuery[str | None] = None,
        campaign: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> PeopleShown:
        """Return who converted, and what of it is credited to a channel or a campaign."""
        people, sql = reads.people(
            reads.ask(conversion, model, since, until, _kept_to(channel, campaign)), limit
        )
        return PeopleShown([_person(one) for one in people], sql)

    return [get_figures, get_funnel, get_cohorts, get_people]


def _runs(reads: AcquisitionReads, attribution: Attribution) -> list[Any]:
    @get("/run", summary="When credit was last shared out", **TOLD)
    def get_run() -> RunShown:
        """Return the version of the credit that reports are made of."""
        run = reads.run()
        made_at = model.utc(run["made_at"]) if run else None
        return RunShown(run.get("version"), made_at, attribution.is_running, attribution.problem)

    @post(
        "/run",
        summary="Share out credit anew",
        status_code=202,
        tags=["Acquisition"],
        guards=[requires("engine:run")],
        security=BEARER,
        responses=problems.responses(401, 403, 503),
        sync_to_thread=True,
    )
    def run() -> None:
        """Have credit shared out as soon as the engine has a moment."""
        attribution.ask()

    @post(
        "/links",
        summary="A campaign's address",
        status_code=200,
        tags=["Acquisition"],
        guards=[requires("acquisition:read")],
        security=BEARER,
        responses=problems.responses(400, 401, 403, 413, 503),
        sync_to_thread=True,
    )
    def make_link(data: JSONBody[WantedLink]) -> LinkShown:
        """Return the address with its campaign's parts, as the naming standard writes them."""
        return LinkShown(build_link(CampaignLink(**msgspec.structs.asdict(data))))

    return [get_run, run, make_link]


def _kept_to(channel: str | None, campaign: str | None) -> dict[str, str]:
    asked = {"channel": channel, "campaign": campaign}
    return {name: value for name, value in asked.items() if value is not None}


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _line(line: Line) -> LineShown:
    return LineShown(
        line.name,
        line.impressions,
        line.clicks,
        line.visits,
        float(line.cost),
        float(line.conversions),
        float(line.value),
        _float(line.roas),
        _float(line.cpa),
    )


def _rows(rows: list[dict[str, Any]], sql: str) -> RowsShown:
    return RowsShown([{name: _plain(value) for name, value in row.items()} for row in rows], sql)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else float(value)


def _person(one: Any) -> PersonShown:
    named = [model.ProfileIdentifier(i.kind, i.value) for i in one.card.identifiers]
    return PersonShown(one.card.person_id, named, one.day, float(one.value), float(one.conversions))
