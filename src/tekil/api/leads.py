"""Leads' routes: boards, one lead, and what is done with it. New ones come in at the door."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from tekil.access.policy import Permission
from tekil.api import model, problems
from tekil.api.access import BEARER, requires
from tekil.leads import LeadDesk, Reader, Shown
from tekil.leads.life import AnyAct
from tekil.leads.pipelines import Pipeline
from tekil.store import ApiKey
from tekil.store.leads import OPEN, LeadTask, StageSum

Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")]
Status = Annotated[
    str,
    QueryParameter(
        pattern=r"^[a-z_]{0,20}$",
        description="`open`, or one of new, waiting, assigned, accepted, won, lost, duplicate.",
    ),
]
Days = Annotated[int, QueryParameter(ge=1, le=366, description="How many days back.")]

DAY_US = 86_400_000_000


class LeadView(msgspec.Struct, frozen=True):
    """A lead. `called` is a masked address, `value` hundredths, `left` working seconds until it is late."""

    id: str
    state: str
    pipeline: str
    stage: str
    owner: str
    rule: str
    called: str
    source: str
    channel: str
    form: str
    facts: dict[str, Any]
    value: int | None
    currency: str
    created_at: datetime
    received_at: datetime
    assigned_at: datetime | None
    accept_by: datetime | None
    due_at: datetime | None
    contacted_at: datetime | None
    closed_at: datetime | None
    breaches: int
    left: float | None
    lost_reason: str
    quality: str
    duplicate_of: str


class LeadsView(msgspec.Struct, frozen=True):
    """Leads, the newest first."""

    leads: list[LeadView]


class EntryView(msgspec.Struct, frozen=True):
    """Something that happened to a lead."""

    at: datetime
    actor: str
    act: str
    details: dict[str, Any]


class TaskView(msgspec.Struct, frozen=True):
    """Something to do about a lead."""

    id: str
    text: str
    owner: str
    due_at: datetime
    done_at: datetime | None


class LeadDetails(msgspec.Struct, frozen=True):
    """A lead with what happened to it. `stages` and `first_contact` (in working hours) are seconds."""

    lead: LeadView
    person_id: str
    entries: list[EntryView]
    tasks: list[TaskView]
    others: list[str]
    stages: dict[str, float]
    first_contact: float | None


class PipelinesView(msgspec.Struct, frozen=True):
    """The pipelines in force."""

    pipelines: list[Pipeline]


class ColumnView(msgspec.Struct, frozen=True):
    """A stage of a board; `sums` are in hundredths, by currency."""

    stage: str
    count: int
    sums: list[StageSum]
    leads: list[LeadView]


class BoardView(msgspec.Struct, frozen=True):
    """A pipeline's open leads, by stage."""

    pipeline: str
    columns: list[ColumnView]


class TimesView(msgspec.Struct, frozen=True):
    """How an owner does: `median` is working seconds from a lead's arrival to the first contact."""

    owner: str
    open: int
    late: int
    contacted: int
    median: float | None


class NewTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something to do by an instant. It is kept in the clear, so it holds no personal values."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    due_at: datetime


TOLD: dict[str, Any] = {"tags": ["Leads"], "security": BEARER, "sync_to_thread": True}


def lead_routes(desk: LeadDesk) -> Router:
    """Return the routes, over the desk that reads leads and takes acts."""
    return Router("/v1", route_handlers=[*_reading(desk), *_acting(desk)])


def _reading(desk: LeadDesk) -> list[HTTPRouteHandler]:
    reads: dict[str, Any] = {**TOLD, "guards": [requires("leads:read")]}

    @get("/leads", summary="Leads", responses=problems.responses(400, 401, 403, 503), **reads)
    def get_leads(
        request: Request[Any, Any, Any],
        pipeline: FromQuery[str] = "",
        status: Status = "open",
        owner: FromQuery[str | None] = None,
        limit: Limit = 50,
    ) -> LeadsView:
        """Return leads within the key's sight: everybody's with `leads:oversee`, else those nobody has."""
        states = OPEN if status == "open" else (status,)
        found = desk.find(reader_of(request), pipeline=pipeline, states=states, owner=owner, limit=limit)
        return LeadsView([lead_view(shown) for shown in found])

    @get(
        "/leads/{lead_id:str}",
        summary="One lead",
        responses=problems.responses(400, 401, 403, 404, 503),
        **reads,
    )
    def get_lead(lead_id: FromPath[str], request: Request[Any, Any, Any]) -> LeadDetails:
        """Return a lead with everything that happened to it."""
        found = desk.one(lead_id, reader_of(request))
        return LeadDetails(
            lead_view(found.shown),
            found.shown.person_id,
            [EntryView(model.from_us(e.at), e.actor, e.act, e.told()) for e in found.entries],
            [task_view(task) for task in found.tasks],
            [other.id for other in found.others],
            found.stages,
            found.first_contact,
        )

    @get("/pipelines", summary="Pipelines", responses=problems.responses(401, 403, 503), **reads)
    def get_pipelines() -> PipelinesView:
        """Return the pipelines in force, with their stages and reasons."""
        return PipelinesView(desk.pipelines())

    @get(
        "/pipelines/{name:str}/board",
        summary="A pipeline's board",
        responses=problems.responses(400, 401, 403, 404, 503),
        **reads,
    )
    def get_board(
        name: FromPath[str], request: Request[Any, Any, Any], owner: FromQuery[str | None] = None
    ) -> BoardView:
        """Return the open leads by stage, with what they may be worth together, to the hundredth."""
        board = desk.board(name, reader_of(request), owner)
        return BoardView(
            name,
            [ColumnView(c.name, c.count, c.sums, [lead_view(s) for s in c.leads]) for c in board.columns],
        )

    @get(
        "/lead-times",
        summary="How soon leads are called",
        responses=problems.responses(400, 401, 403, 503),
        **reads,
    )
    def get_times(request: Request[Any, Any, Any], days: Days = 30) -> list[TimesView]:
        """Return by owner how many leads are open and late, and how soon their people were called."""
        rows = desk.sla(reader_of(request), desk.now() - days * DAY_US)
        return [TimesView(r.owner, r.open, r.late, r.contacted, r.median) for r in rows]

    return [get_leads, get_lead, get_pipelines, get_board, get_times]


def _acting(desk: LeadDesk) -> list[HTTPRouteHandler]:
    writes: dict[str, Any] = {
        **TOLD,
        "status_code": 200,
        "guards": [requires("leads:write")],
        "responses": problems.responses(400, 401, 403, 404, 409, 413, 503),
    }

    @post("/leads/{lead_id:str}/acts", summary="Do something with a lead", **writes)
    def post_act(lead_id: FromPath[str], data: JSONBody[AnyAct], request: Request[Any, Any, Any]) -> LeadView:
        """Do one act, by its `act`: accept, pass, contacted, move, won, lost, assign, note, and the like."""
        reader = reader_of(request)
        desk.act(lead_id, data, reader)
        return lead_view(desk.one(lead_id, reader).shown)

    @post("/leads/{lead_id:str}/tasks", summary="Something to do about a lead", **writes)
    def post_task(
        lead_id: FromPath[str], data: JSONBody[NewTask], request: Request[Any, Any, Any]
    ) -> TaskView:
        """Keep a task; the webhook is told when it is due."""
        due = data.due_at if data.due_at.tzinfo else data.due_at.replace(tzinfo=UTC)
        due_us = int(due.timestamp()) * 1_000_000
        return task_view(desk.add_task(lead_id, data.text, due_us, reader_of(request)))

    @post("/leads/{lead_id:str}/tasks/{task_id:str}/done", summary="A task was done", **writes)
    def post_done(
        lead_id: FromPath[str], task_id: FromPath[str], request: Request[Any, Any, Any]
    ) -> TaskView:
        """Note that a task was done."""
        return task_view(desk.finish_task(lead_id, task_id, reader_of(request)))

    return [post_act, post_task, post_done]


def reader_of(request: Request[Any, Any, Any]) -> Reader:
    """Return who asks: the key's id as a name, and whether it oversees everybody's leads."""
    key: ApiKey = request.state.key
    return Reader(f"key {key.id}", key.allows(Permission.LEADS_OVERSEE))


def lead_view(shown: Shown) -> LeadView:
    """Return a lead as it is told."""
    lead = shown.lead
    return LeadView(
        id=lead.id,
        state=lead.state,
        pipeline=lead.pipeline,
        stage=lead.stage,
        owner=lead.owner,
        rule=lead.rule,
        called=shown.called,
        source=lead.source,
        channel=lead.channel,
        form=lead.form,
        facts=lead.said,
        value=lead.value,
        currency=lead.currency,
        created_at=model.from_us(lead.created_at),
        received_at=model.from_us(lead.received_at),
        assigned_at=_instant(lead.assigned_at),
        accept_by=_instant(lead.accept_by),
        due_at=_instant(lead.due_at),
        contacted_at=_instant(lead.contacted_at),
        closed_at=_instant(lead.closed_at),
        breaches=lead.breaches,
        left=shown.left,
        lost_reason=lead.lost_reason,
        quality=lead.quality,
        duplicate_of=lead.duplicate_of,
    )


def _instant(at: int | None) -> datetime | None:
    return None if at is None else model.from_us(at)


def task_view(task: LeadTask) -> TaskView:
    """Return a task as it is told."""
    return TaskView(task.id, task.text, task.owner, model.from_us(task.due_at), _instant(task.done_at))
