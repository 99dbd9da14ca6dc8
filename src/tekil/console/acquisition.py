"""Acquisition: what advertising cost, what it brought, by which model, on which paths, and who it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, SkipValidation

from tekil.access.policy import Permission
from tekil.acquisition.campaigns import MEDIA, CampaignLink, build_link
from tekil.acquisition.cohorts import UNITS, Unit
from tekil.acquisition.funnels import FUNNEL_KIND, FunnelSpec
from tekil.acquisition.reads import AcquisitionReads
from tekil.acquisition.reports import DIMENSIONS, FILTERS, Dimension, Question
from tekil.acquisition.tables import DATA_DRIVEN, MODELS
from tekil.api import needs
from tekil.console.drawings import curves
from tekil.console.pages import PagesHere
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest

READ = needs(Permission.ACQUISITION_READ)
AcquisitionHere = NamedDependency[SkipValidation[AcquisitionReads]]

TABS = (
    ("overview", "/acquisition"),
    ("breakdown", "/acquisition/breakdown"),
    ("models", "/acquisition/models"),
    ("paths", "/acquisition/paths"),
    ("funnels", "/acquisition/funnels"),
    ("cohorts", "/acquisition/cohorts"),
    ("links", "/acquisition/links"),
)

EXAMPLE = """\
kind: conversion
name: order
title: {tr: Sipariş, en: Order}
spec:
  event: Order Completed
  value: number(properties.total)
  currency: properties.currency
  key: properties.order_id
---
kind: kpi
name: roas
title: {tr: Reklam getirisi, en: ROAS}
spec: {value: order_value / spend, goal: 4}
"""
"""What to write down where there is no conversion yet: it can be applied as it stands."""

Asked = FromQuery[str | None]


class Chosen(NamedTuple):
    """What the reader chose above a report, and how its links keep to that."""

    question: Question
    conversions: dict[str, str]
    tab: str

    def link(self, path: str, **more: str) -> str:
        """Return the address of another report that is kept to the same."""
        question = self.question
        asked = {
            "conversion": question.conversion,
            "model": question.model,
            "since": str(question.period.since),
            "until": str(question.period.until),
            **question.kept_to,
            **more,
        }
        return f"{path}?{urlencode(asked)}"


def _chosen(visit: Visit, reads: AcquisitionReads, tab: str, **asked: str | None) -> Chosen | None:
    """Return what was chosen; nothing where no conversion is defined yet."""
    conversions = {name: one.title_in(visit.words.language) for name, one in reads.conversions().items()}
    if not conversions:
        return None
    kept_to = {name: value for name in FILTERS if (value := asked.pop(name, None)) is not None}
    question = reads.ask(kept_to=kept_to, **{name: value or None for name, value in asked.items()})
    return Chosen(question, conversions, tab)


def _show(
    visit: Visit, pages: PagesHere, template: str, chosen: Chosen | None, tab: str, **context: Any
) -> Response[str]:
    shared: dict[str, Any] = {
        "page": "acquisition",
        "tabs": TABS,
        "tab": tab,
        "models": MODELS,
        "chosen": chosen,
    }
    if chosen is None and tab != "links":
        commands = ("tekil plan acquisition.yaml", "tekil apply acquisition.yaml")
        return pages.show(visit, "acquisition_empty.html", example=EXAMPLE, commands=commands, **shared)
    return pages.show(visit, template, **shared, **context)


@get("/acquisition", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_overview(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    conversion: Asked = None,
    model: Asked = None,
    since: Asked = None,
    until: Asked = None,
) -> Response[str]:
    """Show key figures, cost and value by day, and channels."""
    asked = {"conversion": conversion, "model": model, "since": since, "until": until}
    chosen = _chosen(visit, acquisition, "overview", **asked)
    if chosen is None:
        return _show(visit, pages, "acquisition.html", None, "overview")
    question = chosen.question
    days = acquisition.breakdown(question, "day")
    period = question.period
    named = {line.name: line for line in days.lines}
    every = [named.get(str(period.since + timedelta(days=day))) for day in range(period.days)]
    series = [[float(getattr(line, what)) if line else 0.0 for line in every] for what in ("value", "cost")]
    return _show(
        visit,
        pages,
        "acquisition.html",
        chosen,
        "overview",
        figures=acquisition.figures(period),
        days=days,
        picture=curves(series),
        report=acquisition.breakdown(question, "channel"),
        currency=acquisition.currency,
        run=acquisition.run(),
        unconverted=acquisition.unconverted(question),
        restated=acquisition.restatements(question.model, 8),
    )


@get("/acquisition/breakdown", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_breakdown(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    by: Asked = None,
    conversion: Asked = None,
    model: Asked = None,
    since: Asked = None,
    until: Asked = None,
    channel: Asked = None,
    source: Asked = None,
    campaign: Asked = None,
) -> Response[str]:
    """Show spend beside what it brought, by campaign, keyword, source or channel."""
    asked = {"conversion": conversion, "model": model, "since": since, "until": until}
    kept = {"channel": channel, "source": source, "campaign": campaign}
    chosen = _chosen(visit, acquisition, "breakdown", **asked, **kept)
    if chosen is None:
        return _show(visit, pages, "acquisition_breakdown.html", None, "breakdown")
    chosen_by: Dimension = next((name for name in DIMENSIONS if name == by), "campaign")
    return _show(
        visit,
        pages,
        "acquisition_breakdown.html",
        chosen,
        "breakdown",
        by=chosen_by,
        dimensions=DIMENSIONS,
        report=acquisition.breakdown(chosen.question, chosen_by),
        currency=acquisition.currency,
    )


@get("/acquisition/models", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_models(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    conversion: Asked = None,
    since: Asked = None,
    until: Asked = None,
) -> Response[str]:
    """Show what each model credits each channel with, and how sure those are that learn."""
    chosen = _chosen(visit, acquisition, "models", conversion=conversion, since=since, until=until)
    if chosen is None:
        return _show(visit, pages, "acquisition_models.html", None, "models")
    table = acquisition.models(chosen.question)
    totals = {model: sum((row[model] for row in table.rows), Decimal(0)) for model in MODELS}
    return _show(
        visit,
        pages,
        "acquisition_models.html",
        chosen,
        "models",
        table=table,
        totals=totals,
        learned=acquisition.intervals(chosen.question.conversion),
        data_driven=DATA_DRIVEN,
    )


@get("/acquisition/paths", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_paths(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    conversion: Asked = None,
    since: Asked = None,
    until: Asked = None,
) -> Response[str]:
    """Show the paths of channels by which most conversions came."""
    chosen = _chosen(visit, acquisition, "paths", conversion=conversion, since=since, until=until)
    table = acquisition.paths(chosen.question) if chosen else None
    return _show(visit, pages, "acquisition_paths.html", chosen, "paths", table=table)


@get("/acquisition/people", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_people(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    conversion: Asked = None,
    model: Asked = None,
    since: Asked = None,
    until: Asked = None,
    channel: Asked = None,
    source: Asked = None,
    campaign: Asked = None,
    keyword: Asked = None,
) -> Response[str]:
    """Show the people behind a figure."""
    asked = {"conversion": conversion, "model": model, "since": since, "until": until}
    kept = {"channel": channel, "source": source, "campaign": campaign, "keyword": keyword}
    chosen = _chosen(visit, acquisition, "people", **asked, **kept)
    if chosen is None:
        return _show(visit, pages, "acquisition_people.html", None, "people")
    people, sql = acquisition.people(chosen.question)
    return _show(visit, pages, "acquisition_people.html", chosen, "people", people=people, sql=sql)


class Step(NamedTuple):
    """A step of a funnel: how many got there, of all who began and of those one step before."""

    title: str
    people: int
    of_all: float
    of_before: float


@get("/acquisition/funnels", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_funnels(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    funnel: Asked = None,
    since: Asked = None,
    until: Asked = None,
) -> Response[str]:
    """Show how many people got how far through a funnel, in all and by its breakdown."""
    chosen = _chosen(visit, acquisition, "funnels", since=since, until=until)
    if chosen is None:
        return _show(visit, pages, "acquisition_funnels.html", None, "funnels")
    defined = {one.name: one.title_in(visit.words.language) for one in acquisition.defined(FUNNEL_KIND.name)}
    name = funnel if funnel in defined else next(iter(defined), None)
    context: dict[str, Any] = {"funnels": defined, "name": name, "steps": [], "rows": [], "sql": ""}
    if name is not None:
        _, spec = acquisition.funnel_of(name)
        table = acquisition.funnel(spec, chosen.question.period)
        counts = [sum(row[f"step_{i}"] for row in table.rows) for i in range(1, len(spec.steps) + 1)]
        context |= {"steps": _steps(visit, spec, counts), "sql": table.sql, "by": spec.by}
        context["rows"] = [(row["label"], _steps(visit, spec, list(row.values())[1:])) for row in table.rows]
    return _show(visit, pages, "acquisition_funnels.html", chosen, "funnels", **context)


def _steps(visit: Visit, spec: FunnelSpec, counts: Sequence[int]) -> list[Step]:
    language, before = visit.words.language, [counts[0], *counts]
    return [
        Step(
            step.title.get(language) or next(iter(step.title.values()), step.when),
            people,
            people / counts[0] if counts[0] else 0.0,
            people / before[place] if before[place] else 0.0,
        )
        for place, (step, people) in enumerate(zip(spec.steps, counts, strict=True))
    ]


class Cohort(NamedTuple):
    """People who first converted in one month or week (`begins`), and what they did in each after."""

    begins: date
    people: int
    value: Decimal
    later: list[tuple[int, Decimal] | None]


@get("/acquisition/cohorts", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_cohorts(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    conversion: Asked = None,
    by: Asked = None,
) -> Response[str]:
    """Show who came back when, and with what, by when they first converted."""
    chosen = _chosen(visit, acquisition, "cohorts", conversion=conversion)
    if chosen is None:
        return _show(visit, pages, "acquisition_cohorts.html", None, "cohorts")
    unit: Unit = next((one for one in UNITS if one == by), "month")
    table = acquisition.cohorts(chosen.question.conversion, unit)
    context = {"cohorts": cohorts_of(table.rows, unit), "sql": table.sql, "unit": unit, "units": UNITS}
    return _show(visit, pages, "acquisition_cohorts.html", chosen, "cohorts", **context)


def cohorts_of(rows: Sequence[dict[str, Any]], unit: str) -> list[Cohort]:
    """Return rows of `cohorts_sql` cohort by cohort, each with every period up to the newest there is."""
    newest = max((row["cohort"] + row["later"] for row in rows), default=0)
    told = {(row["cohort"], row["later"]): (row["people"], row["value"]) for row in rows}
    found = []
    for number in sorted({row["cohort"] for row in rows}):
        begins = (
            date(number // 12, number % 12 + 1, 1)
            if unit == "month"
            else date(1970, 1, 5) + timedelta(weeks=number)
        )
        people, value = told.get((number, 0), (0, Decimal(0)))
        later = [told.get((number, after), (0, Decimal(0))) for after in range(newest - number + 1)]
        found.append(Cohort(begins, people, sum((v for _, v in later), Decimal(0)) or value, list(later)))
    return found


@get("/acquisition/links", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_links(
    visit: VisitHere,
    pages: PagesHere,
    acquisition: AcquisitionHere,
    url: Asked = None,
    source: Asked = None,
    medium: Asked = None,
    campaign: Asked = None,
    term: Asked = None,
    content: Asked = None,
    since: Asked = None,
    until: Asked = None,
) -> Response[str]:
    """Build a campaign's address, and show campaigns whose names do not keep to the standard."""
    link = CampaignLink(url or "", source or "", medium or "", campaign or "", term or "", content or "")
    built, wrong = "", ""
    if url is not None:
        try:
            built = build_link(link)
        except BadRequest as error:
            wrong = error.code
    period = acquisition.ask(since=since, until=until).period
    table = acquisition.hygiene(period)
    context = {"link": link, "built": built, "wrong": wrong, "media": MEDIA, "table": table, "period": period}
    return _show(visit, pages, "acquisition_links.html", None, "links", **context)


ROUTES = [
    show_overview,
    show_breakdown,
    show_models,
    show_paths,
    show_people,
    show_funnels,
    show_cohorts,
    show_links,
]
