"""Leads: the board, one lead with what happened to it and what can be done, and who is late."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Redirect

from tekil.access.policy import Permission
from tekil.api import needs
from tekil.api.routes import StoreHere
from tekil.config import Config
from tekil.console.formats import Formats
from tekil.console.forms import FormHere, inner_path
from tekil.console.language import Words
from tekil.console.pages import Pages, PagesHere, go
from tekil.console.visit import Visit, VisitHere
from tekil.errors import BadRequest, NotFound, TekilError
from tekil.forms.model import in_language
from tekil.leads import LeadDesk, LeadTold, Reader
from tekil.leads.life import MEMBERS, read_act
from tekil.leads.pipelines import QUALITIES, SALES
from tekil.store.leads import LeadEntry

READ = needs(Permission.LEADS_READ)
WRITE = needs(Permission.LEADS_WRITE)

SalesHere = NamedDependency[SkipValidation[LeadDesk]]
SettingsHere = NamedDependency[SkipValidation[Config]]

DAY_US = 86_400_000_000
DAYS_SHOWN = 30

SIGNS = {"TRY": "TL", "EUR": "€", "USD": "$", "GBP": "£"}

EXAMPLE = """\
kind: form
name: contact
title: {tr: Sizi arayalım, en: Let us call you}
spec:
  fields:
    - {name: name, required: true}
    - {name: phone, type: phone, required: true}
    - {name: message, type: long_text}
  consents:
    - purpose: marketing
      channels: [sms, call]
      version: "1"
      text: {tr: Kampanyalar için aranabilirim., en: You may call me about offers.}
"""
"""What to write down where there is no form yet: it can be applied as it stands."""


class Happened(NamedTuple):
    """Something that happened to a lead, in words."""

    entry: LeadEntry
    text: str
    note: str


@get("/leads", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_board(
    visit: VisitHere,
    pages: PagesHere,
    sales: SalesHere,
    store: StoreHere,
    settings: SettingsHere,
    pipeline: FromQuery[str] = SALES.name,
    owner: FromQuery[str] = "",
) -> Response[str]:
    """Show a pipeline's open leads by stage."""
    board = sales.board(pipeline, reader_of(visit), owner or None)
    forms = [version.name for version in store.definitions.current("form")]
    door = settings.collect.public_url.rstrip("/") or (
        f"http://{settings.collect.host}:{settings.collect.port}"
    )
    return pages.show(
        visit,
        "leads.html",
        page="leads",
        board=board,
        pipelines=sales.pipelines(),
        owner=owner,
        owners=sales.owners() if visit.may(Permission.LEADS_OVERSEE) else [],
        here=f"/leads?{urlencode({'pipeline': pipeline, 'owner': owner})}",
        forms=forms,
        addresses=[f"{door}/f/{name}" for name in forms],
        commands=("tekil apply form.yaml", f"{door}/f/contact"),
        endpoint=f"POST {door}/v1/leads",
        example=EXAMPLE,
        is_empty=not any(column.count for column in board.columns),
        **words_of(visit),
    )


@get("/leads/{lead_id:str}", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_lead(lead_id: FromPath[str], visit: VisitHere, pages: PagesHere, sales: SalesHere) -> Response[str]:
    """Show one lead."""
    return _lead_page(visit, pages, sales, lead_id)


@post("/leads/{lead_id:str}", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def act_on_lead(
    lead_id: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, sales: SalesHere
) -> Response[str] | Redirect:
    """Do what a form asks for, and go back to where it stood."""
    try:
        act = form.one("act")
        sales.act(lead_id, read_act(act, form.one(MEMBERS.get(act, ""))), reader_of(visit))
    except NotFound:
        raise
    except TekilError as error:
        return _lead_page(visit, pages, sales, lead_id, error)
    # Whoever passes a lead on does not see it any more.
    return go(
        inner_path(form.one("next") or ("/leads" if form.one("act") == "pass" else f"/leads/{lead_id}"))
    )


@post("/leads/{lead_id:str}/tasks", status_code=200, opt=WRITE, include_in_schema=False, sync_to_thread=True)
def add_task(
    lead_id: FromPath[str], visit: VisitHere, form: FormHere, pages: PagesHere, sales: SalesHere
) -> Response[str] | Redirect:
    """Keep something to do about a lead."""
    try:
        sales.add_task(lead_id, form.one("text"), read_moment(form.one("due_at"), visit), reader_of(visit))
    except NotFound:
        raise
    except TekilError as error:
        return _lead_page(visit, pages, sales, lead_id, error)
    return go(f"/leads/{lead_id}")


@post(
    "/leads/{lead_id:str}/tasks/{task_id:str}",
    status_code=200,
    opt=WRITE,
    include_in_schema=False,
    sync_to_thread=True,
)
def finish_task(
    lead_id: FromPath[str], task_id: FromPath[str], visit: VisitHere, sales: SalesHere
) -> Redirect:
    """Note that something was done."""
    sales.finish_task(lead_id, task_id, reader_of(visit))
    return go(f"/leads/{lead_id}")


@get("/lead-times", opt=READ, include_in_schema=False, sync_to_thread=True)
def show_times(visit: VisitHere, pages: PagesHere, sales: SalesHere, store: StoreHere) -> Response[str]:
    """Show the clocks that run, who keeps to them, and what salespeople say of each source's leads."""
    reader, since = reader_of(visit), sales.now() - DAYS_SHOWN * DAY_US
    return pages.show(
        visit,
        "lead_times.html",
        page="lead_times",
        running=sales.late(reader),
        rows=sales.sla(reader, since),
        days=DAYS_SHOWN,
        qualities=QUALITIES,
        sources=_sources(store.leads.outcomes(since)) if reader.oversees else {},
        **words_of(visit),
    )


ROUTES = [show_board, show_lead, act_on_lead, add_task, finish_task, show_times]


def reader_of(visit: Visit) -> Reader:
    """Return who looks at leads."""
    return Reader(visit.user.name if visit.user else "", visit.may(Permission.LEADS_OVERSEE))


def read_moment(text: str, visit: Visit) -> int:
    """Return an instant that somebody chose in their own zone, in microseconds. Raises `BadRequest`."""
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=visit.formats.zone)
        return int(local.timestamp()) * 1_000_000
    except (ValueError, OverflowError) as error:
        raise BadRequest("Choose a day and a time.", code="moment_invalid") from error


def money(formats: Formats, value: int | None, currency: str) -> str:
    """Return an amount of hundredths as people write it: 1.250,50 TL."""
    if value is None:
        return "–"
    # A Decimal is written like a float, and is exact.
    amount: Any = Decimal(value) / 100
    return f"{formats.number(amount, 0 if value % 100 == 0 else 2)} {SIGNS.get(currency, currency)}"


def span(words: Words, formats: Formats, seconds: float) -> str:
    """Return a span of working time: 45 dk, 3,5 sa."""
    minutes = abs(seconds) / 60
    if minutes < 90:
        return words("lead_span.minutes", n=formats.number(max(round(minutes), 0 if seconds == 0 else 1)))
    return words("lead_span.hours", n=formats.number(minutes / 60, 1 if minutes < 600 else 0))


def words_of(visit: Visit) -> dict[str, Any]:
    """Return what templates write amounts, spans and titles with."""
    return {
        "money": lambda value, currency: money(visit.formats, value, currency),
        "span": lambda seconds: span(visit.words, visit.formats, seconds),
        "titled": lambda titles, name: in_language(titles, visit.words.language, name),
    }


def _lead_page(
    visit: Visit, pages: Pages, sales: LeadDesk, lead_id: str, error: TekilError | None = None
) -> Response[str]:
    found = sales.one(lead_id, reader_of(visit))
    return pages.show(
        visit,
        "lead.html",
        status=error.http_status if error else 200,
        page="leads",
        told=found,
        lead=found.shown.lead,
        happened=[_happened(visit, found, entry) for entry in reversed(found.entries)],
        owners=sales.owners() if visit.may(Permission.LEADS_OVERSEE) else [],
        qualities=QUALITIES,
        refusal=refusal_of(visit, error),
        now=sales.now(),
        **words_of(visit),
    )


def refusal_of(visit: Visit, error: TekilError | None) -> str:
    """Return why something was refused, in the reader's words where there are some."""
    return "" if error is None else visit.words.known(f"lead_refused.{error.code}", error.message)


def _happened(visit: Visit, found: LeadTold, entry: LeadEntry) -> Happened:
    details = entry.told()
    stages = {stage.name: stage.title for stage in found.pipeline.spec.stages}
    reasons = {reason.name: reason.title for reason in found.pipeline.spec.lost_reasons}
    language = visit.words.language
    told = {
        "owner": details.get("owner", ""),
        "stage": in_language(stages.get(str(details.get("stage")), {}), language, str(details.get("stage"))),
        "reason": in_language(
            reasons.get(str(details.get("reason")), {}), language, str(details.get("reason"))
        ),
        "value": money(visit.formats, details.get("value"), found.shown.lead.currency),
        "quality": visit.words.known(f"lead_quality.{details.get('quality')}", ""),
        "channel": channel(visit.words, str(details.get("channel", ""))),
    }
    act = "assigned_by_rule" if entry.act == "assigned" and details.get("rule") else entry.act
    note = details.get("text", "") if entry.act in ("note", "task") else ""
    return Happened(entry, visit.words(f"lead_act.{act}", **told), str(note))


def channel(words: Words, name: str) -> str:
    """Return by which way a lead came, in words."""
    return words.known(f"lead_channel.{name}", name)


def _sources(outcomes: dict[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Return by source how its leads were judged, and how many there are in all."""
    found: dict[str, dict[str, int]] = {}
    for (source, quality), count in sorted(outcomes.items()):
        counts = found.setdefault(source, {"all": 0, **dict.fromkeys(QUALITIES, 0)})
        counts["all"] += count
        if quality in counts:
            counts[quality] += count
    return found
