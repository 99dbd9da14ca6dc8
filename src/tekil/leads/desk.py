"""What people see of leads and do with them: a board, one lead with all that happened to it, who is late."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tekil.errors import BadRequest, NotFound
from tekil.leads.hearing import microseconds
from tekil.leads.life import AnyAct, Assign, act_on, entry, notice
from tekil.leads.pipelines import Pipeline
from tekil.leads.runner import Playbook, PlaybookInForce
from tekil.leads.sayings import sayings
from tekil.privacy import Vault
from tekil.privacy.typed import check_typed
from tekil.store import Store
from tekil.store.leads import OPEN, Lead, LeadEntry, LeadTask, StageSum

BOARD_MAX = 400
TASK_FROM, TASK_UNTIL = 946_684_800_000_000, 7_258_118_400_000_000
"""2000 and 2200, in microseconds."""
LEAD_ID = re.compile(r"[0-9a-f]{16}")


class Reader(msgspec.Struct, frozen=True):
    """Who looks at leads: their name, and whether they oversee everybody's."""

    name: str
    oversees: bool = False

    @property
    def sees(self) -> str | None:
        """Whose leads they see beside those that nobody has; nothing for everybody's."""
        return None if self.oversees else self.name


class Shown(msgspec.Struct, frozen=True):
    """A lead for people: what the person is called (masked), and how long is left until it is late.

    `left` is working seconds, less than nothing for one that is late, nothing where no clock runs.
    """

    lead: Lead
    called: str
    person_id: str
    left: float | None
    is_late: bool


class Column(msgspec.Struct, frozen=True):
    """A stage of a board: its leads, how many there are in all, and what they may be worth, by currency."""

    name: str
    title: dict[str, str]
    chance: int
    leads: list[Shown]
    count: int
    sums: list[StageSum]


class Board(msgspec.Struct, frozen=True):
    """The open leads of a pipeline by stage."""

    pipeline: Pipeline
    columns: list[Column]


class LeadTold(msgspec.Struct, frozen=True):
    """A lead with everything about it. `stages` is how many seconds it was in each stage."""

    shown: Shown
    pipeline: Pipeline
    entries: list[LeadEntry]
    tasks: list[LeadTask]
    others: list[Lead]
    stages: dict[str, float]
    first_contact: float | None


class SlaRow(msgspec.Struct, frozen=True):
    """How an owner does: open leads, late ones, and the median working seconds to first contact."""

    owner: str
    open: int
    late: int
    contacted: int
    median: float | None


class LeadDesk:
    """Reads of leads, and acts on them. For many threads."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        playbook: PlaybookInForce,
        clock: Callable[[], datetime],
    ) -> None:
        """Take the store, the vault (for masks), and what is in force."""
        self._store, self._vault, self._playbook, self._clock = store, vault, playbook, clock

    def now(self) -> int:
        """Return this instant in microseconds."""
        return microseconds(self._clock())

    def pipelines(self) -> list[Pipeline]:
        """Return the pipelines in force, by name."""
        return [pipeline for _, pipeline in sorted(self._playbook().pipelines.items())]

    def owners(self) -> list[str]:
        """Return who can be given leads: agents of routings, and whoever has some."""
        routings = self._playbook().routings.values()
        named = {agent.name for spec in routings for agent in spec.agents}
        named |= {spec.escalate_to for spec in routings if spec.escalate_to}
        return sorted(named | self._store.leads.load().keys())

    def find(
        self,
        reader: Reader,
        *,
        pipeline: str = "",
        states: Sequence[str] = OPEN,
        owner: str | None = None,
        limit: int = 200,
    ) -> list[Shown]:
        """Return leads within the reader's sight, the newest first."""
        if "\0" in f"{pipeline}{owner}":
            return []
        found = self._store.leads.find(
            pipeline=pipeline, states=states, seen_by=reader.sees, owner=owner, limit=limit
        )
        return self._shown(found)

    def board(self, name: str, reader: Reader, owner: str | None = None) -> Board:
        """Return a pipeline's board. Raises `NotFound` where there is no such pipeline."""
        pipeline = self._playbook().pipelines.get(name)
        if pipeline is None:
            raise NotFound(f"There is no pipeline {name[:80]!r}.", code="pipeline_unknown")
        shown = self.find(reader, pipeline=name, owner=owner, limit=BOARD_MAX)
        sums = self._store.leads.sums(name, reader.sees)
        known = {stage.name for stage in pipeline.spec.stages}
        columns = []
        for stage in pipeline.spec.stages:
            # What stands in a stage that is no more is shown where leads begin.
            stray = stage.name == pipeline.first
            inside = [s for s in shown if s.lead.stage == stage.name or (stray and s.lead.stage not in known)]
            mine = [s for s in sums if s.stage == stage.name or (stray and s.stage not in known)]
            count = sum(one.leads for one in mine) if owner is None else len(inside)
            worth = mine if owner is None else _summed(inside)
            columns.append(
                Column(stage.name, stage.title, stage.chance, inside, count, [s for s in worth if s.value])
            )
        return Board(pipeline, columns)

    def one(self, lead_id: str, reader: Reader) -> LeadTold:
        """Return a lead with everything about it. Raises `NotFound` for one out of the reader's sight."""
        lead = self._seen(lead_id, reader)
        playbook = self._playbook()
        entries = self._store.leads.entries(lead.id)
        others = [o for o in self._store.leads.all_of({lead.token}) if o.id != lead.id]
        hours = playbook.clocks_of(lead).hours
        contact = None if lead.contacted_at is None else hours.between(lead.received_at, lead.contacted_at)
        return LeadTold(
            self._shown([lead])[0],
            playbook.pipeline(lead),
            entries,
            self._store.leads.tasks(lead.id),
            [other for other in others if reader.oversees or other.owner in ("", reader.name)],
            _in_stages(lead, entries, self.now()),
            contact,
        )

    def act(self, lead_id: str, act: AnyAct, reader: Reader) -> Lead:
        """Do something with a lead. Raises `NotFound`, `BadRequest`, or `LeadChanged`.

        Who oversees nobody gives leads to nobody else.
        """
        lead = self._seen(lead_id, reader)
        if isinstance(act, Assign) and not reader.oversees and act.owner != reader.name:
            raise BadRequest(
                "Giving leads to others asks for leads:oversee. Pass it on instead.", code="lead_not_yours"
            )
        playbook, now = self._playbook(), self.now()
        outcome = act_on(lead, act, reader.name, now, playbook.pipeline(lead), playbook.clocks_of(lead))
        if outcome.lead == lead and not outcome.entries:
            return lead
        owed = [notice(outcome, what, now) for what in outcome.notices] + sayings(outcome)
        return self._store.leads.save(lead, outcome.lead, outcome.entries, owed)

    def add_task(self, lead_id: str, text: str, due_at: int, reader: Reader) -> LeadTask:
        """Keep something to do about a lead by an instant; the webhook is told when it is due."""
        lead = self._seen(lead_id, reader)
        if not 0 < len(text.strip()) <= 300 or "\0" in text:
            raise BadRequest("Say in 1 to 300 characters what is to be done.", code="task_invalid")
        if not TASK_FROM <= due_at <= TASK_UNTIL:
            raise BadRequest("A task is due between 2000 and 2200.", code="task_invalid")
        check_typed(text, "The task")
        task = LeadTask(secrets.token_hex(16), lead.id, text.strip(), lead.owner or reader.name, due_at)
        self._store.leads.put_task(lead, task)
        told = entry(self.now(), reader.name, "task", text=task.text)
        self._store.leads.save(lead, lead, (told,))
        return task

    def finish_task(self, lead_id: str, task_id: str, reader: Reader) -> LeadTask:
        """Note that something was done. Raises `NotFound`."""
        lead = self._seen(lead_id, reader)
        for task in self._store.leads.tasks(lead.id):
            if task.id == task_id:
                done = msgspec.structs.replace(task, done_at=self.now())
                self._store.leads.put_task(lead, done)
                return done
        raise NotFound("There is no such task.", code="task_unknown")

    def late(self, reader: Reader) -> list[Shown]:
        """Return the open leads for which a clock runs, or ran out, the latest first."""
        found = [s for s in self.find(reader, limit=BOARD_MAX) if s.left is not None]
        return sorted(found, key=lambda shown: (shown.left or 0.0, shown.lead.id))

    def sla(self, reader: Reader, since: int) -> list[SlaRow]:
        """Return how owners do with the leads that came since an instant."""
        states = (*OPEN, "won", "lost")
        found = self._store.leads.find(states=states, seen_by=reader.sees, limit=10_000)
        playbook, by_owner = self._playbook(), dict[str, list[Lead]]()
        for lead in found:
            if lead.received_at >= since:
                by_owner.setdefault(lead.owner, []).append(lead)
        return [self._row(owner, mine, playbook) for owner, mine in sorted(by_owner.items())]

    def _row(self, owner: str, mine: Sequence[Lead], playbook: Playbook) -> SlaRow:
        waits = sorted(
            playbook.clocks_of(lead).hours.between(lead.received_at, lead.contacted_at)
            for lead in mine
            if lead.contacted_at is not None
        )
        return SlaRow(
            owner,
            sum(lead.is_open for lead in mine),
            sum(lead.breaches > 0 for lead in mine),
            len(waits),
            waits[len(waits) // 2] if waits else None,
        )

    def _seen(self, lead_id: str, reader: Reader) -> Lead:
        if not LEAD_ID.fullmatch(lead_id):
            raise NotFound(f"There is no lead {lead_id[:40]!r}.", code="lead_unknown")
        lead = self._store.leads.get(lead_id)
        if not reader.oversees and lead.owner not in ("", reader.name):
            raise NotFound(f"There is no lead {lead_id[:40]!r}.", code="lead_unknown")
        return lead

    def _shown(self, found: Sequence[Lead]) -> list[Shown]:
        masks = self._vault.masked(sorted({lead.name_value for lead in found}))
        playbook, now = self._playbook(), self.now()
        shown = []
        for lead in found:
            card = self._store.cards.find(lead.name_kind, lead.name_value) if len(found) == 1 else None
            left = _left(lead, playbook, now)
            shown.append(
                Shown(
                    lead,
                    masks.get(lead.name_value, lead.name_value if lead.name_kind == "user_id" else ""),
                    "" if card is None else card.person_id,
                    left,
                    lead.is_open and lead.contacted_at is None and (lead.breaches > 0 or (left or 1) < 0),
                )
            )
        return shown


def _left(lead: Lead, playbook: Playbook, now: int) -> float | None:
    if not lead.is_open or lead.contacted_at is not None or lead.due_at is None:
        return None
    hours = playbook.clocks_of(lead).hours
    return hours.between(now, lead.due_at) if now <= lead.due_at else -hours.between(lead.due_at, now) - 0.001


def _summed(inside: Sequence[Shown]) -> list[StageSum]:
    found: dict[str, list[int]] = {}
    for shown in inside:
        found.setdefault(shown.lead.currency, []).append(shown.lead.value or 0)
    return [StageSum("", currency, len(v), sum(v)) for currency, v in sorted(found.items())]


def _in_stages(lead: Lead, entries: Sequence[LeadEntry], now: int) -> dict[str, float]:
    """Return how many seconds a lead was in each stage, the one it is in until now or its end."""
    spent: dict[str, float] = {}
    for told in entries:
        if told.act == "moved":
            details: dict[str, Any] = told.told()
            spent[details["before"]] = spent.get(details["before"], 0.0) + details.get("seconds", 0)
    until = lead.closed_at or now
    spent[lead.stage] = spent.get(lead.stage, 0.0) + max(until - lead.stage_since, 0) / 1e6
    return spent
