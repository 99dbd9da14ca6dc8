"""What can happen to a lead: pure functions from a lead as it was to what it is then, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec

from tekil.errors import BadRequest
from tekil.leads.hours import Hours, seconds_of
from tekil.leads.pipelines import QUALITIES, Pipeline
from tekil.leads.routing import Choice, RoutingSpec
from tekil.privacy.typed import check_typed
from tekil.store.leads import Lead, LeadEntry

NOBODY = ""
TEKIL = "tekil"
"""Who did what nobody did: the clock, and the rules."""

LOOK_AGAIN_US = 60 * 1_000_000
"""How soon to look again whether somebody is free for a lead that waits."""

LAST_BREACH = 2
"""The breach from which on a lead stays with whoever it was escalated to."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\s,\x00]{1,128}$")]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act"):
    """Something that somebody does with a lead."""


class Accept(Act, frozen=True, tag="accept"):
    """Take it: one that was given to oneself, or one that nobody has."""


class Pass(Act, frozen=True, tag="pass"):
    """Pass it on to the next."""


class Contacted(Act, frozen=True, tag="contacted"):
    """Say that one has spoken with the person."""


class Move(Act, frozen=True, tag="move"):
    """Bring it into another stage of its pipeline."""

    stage: Name


class Won(Act, frozen=True, tag="won"):
    """Close it as won, with what it brought (`1250.50`), where that is known."""

    value: str = ""


class Lost(Act, frozen=True, tag="lost"):
    """Close it as lost, for one of the pipeline's reasons."""

    reason: Name


class Reopen(Act, frozen=True, tag="reopen"):
    """Open one that was closed."""


class Assign(Act, frozen=True, tag="assign"):
    """Give it to a colleague."""

    owner: Name


class Worth(Act, frozen=True, tag="worth"):
    """Say what it may be worth."""

    value: str


class Note(Act, frozen=True, tag="note"):
    """Write something down. It is kept in the clear, so it holds no personal values."""

    text: Text


class Judge(Act, frozen=True, tag="judge"):
    """Say how good a lead it was: good, weak or wrong."""

    quality: str


MEMBERS = {
    "move": "stage",
    "won": "value",
    "lost": "reason",
    "assign": "owner",
    "worth": "value",
    "note": "text",
    "judge": "quality",
}
"""What an act says beside its name."""

AnyAct = Accept | Pass | Contacted | Move | Won | Lost | Reopen | Assign | Worth | Note | Judge


def read_act(name: str, what: str) -> AnyAct:
    """Return an act by its name, and what it says beside that. Raises `BadRequest` for none."""
    told = {"act": name} | ({MEMBERS[name]: what} if name in MEMBERS else {})
    try:
        made: AnyAct = msgspec.convert(told, AnyAct)
    except msgspec.ValidationError as error:
        raise BadRequest(f"This cannot be done: {error}.", code="act_invalid") from error
    return made


@dataclass(frozen=True, slots=True)
class Clocks:
    """By when a lead of a pipeline must be taken, and its person spoken with; nothing where nobody asks."""

    hours: Hours
    accept_seconds: int = 0
    contact_seconds: int = 0
    escalate_to: str = ""

    @classmethod
    def of(cls, spec: RoutingSpec | None, zone: str) -> Clocks:
        """Return the clocks of a routing, or of a pipeline that has none."""
        spec = spec or RoutingSpec(())
        accept, contact = (
            seconds_of(span) if span else 0 for span in (spec.accept_within, spec.first_contact)
        )
        return cls(Hours(spec.hours, zone), accept, contact, spec.escalate_to)

    def accept_by(self, at: int) -> int | None:
        """Return by when somebody who gets a lead must have taken it."""
        return self.hours.after(at, self.accept_seconds) if self.accept_seconds else None

    def due_at(self, at: int) -> int | None:
        """Return by when somebody must have spoken with the person."""
        return self.hours.after(at, self.contact_seconds) if self.contact_seconds else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A lead as it is then, what is put on record, and of what (`lead.assigned`, …) notices are owed."""

    lead: Lead
    entries: tuple[LeadEntry, ...] = ()
    notices: tuple[str, ...] = field(default=())

    def then(self, lead: Lead, entry: LeadEntry, *notices: str) -> Outcome:
        """Return this outcome, and something more that happened."""
        return Outcome(lead, (*self.entries, entry), (*self.notices, *notices))

    def settled(self) -> Outcome:
        """Return the outcome with when to look at the lead next; one that waits is looked at anyway."""
        if self.lead.state in ("new", "waiting"):
            return self
        return replace(self, lead=changed(self.lead, look_at=_look_at(self.lead)))


def changed(lead: Lead, **members: Any) -> Lead:
    """Return a lead with other members."""
    return msgspec.structs.replace(lead, **members)


def entry(at: int, actor: str, act: str, **details: Any) -> LeadEntry:
    """Return something for the record; details that are empty are left out."""
    told = {name: value for name, value in details.items() if value not in (None, "")}
    return LeadEntry(at, actor, act, msgspec.json.encode(told, order="deterministic").decode())


def act_on(lead: Lead, act: AnyAct, by: str, at: int, pipeline: Pipeline, clocks: Clocks) -> Outcome:
    """Return what an act of somebody makes of a lead. Raises `BadRequest` for one that cannot be."""
    if lead.state == "duplicate" and not isinstance(act, Reopen | Note):
        raise BadRequest(f"It is a duplicate of {lead.duplicate_of}; look there.", code="lead_duplicate")
    if isinstance(act, Note):
        return Outcome(lead, (entry(at, by, "note", text=check_typed(act.text, "The note")),))
    if isinstance(act, Judge):
        return _judged(lead, act, by, at)
    if isinstance(act, Reopen):
        return _reopened(lead, by, at)
    if not lead.is_open:
        raise BadRequest(f"It is {lead.state} already; open it again first.", code="lead_closed")
    match act:
        case Accept():
            outcome = _accepted(lead, by, at)
        case Pass():
            outcome = passed(lead, by, at, "passed")
        case Contacted():
            outcome = _contacted(lead, by, at)
        case Assign():
            outcome = given(Outcome(lead), Choice(act.owner, ""), at, clocks, by)
        case Worth():
            worth = hundredths(act.value)
            outcome = Outcome(changed(lead, value=worth), (entry(at, by, "worth", value=worth),))
        case Move():
            outcome = _moved(lead, act, by, at, pipeline)
        case Won():
            value = hundredths(act.value) if act.value else lead.value
            outcome = _closed(lead, by, at, "won", value=value)
        case Lost():
            outcome = _closed(lead, by, at, "lost", lost_reason=pipeline.check_reason(act.reason))
    return outcome.settled()


def hundredths(text: str) -> int:
    """Return an amount such as `1250.50` or `1.250,50` in hundredths. Raises `BadRequest` for what is none.

    >>> hundredths("1.250,50"), hundredths("12")
    (125050, 1200)
    """
    plain = text.strip().replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(plain) * 100
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount < 10**14:
        raise BadRequest(
            f"{text[:40]!r} is no amount; write one like 1250.50, with two decimals at most.",
            code="value_invalid",
        )
    return int(amount)


def given(outcome: Outcome, choice: Choice, at: int, clocks: Clocks, by: str = TEKIL) -> Outcome:
    """Return a lead that somebody was given just now. Whoever takes it for themselves need not accept it."""
    lead = changed(
        outcome.lead,
        state="accepted" if choice.owner == by else "assigned",
        owner=choice.owner,
        rule=choice.rule,
        assigned_at=at,
        accept_by=None if choice.owner == by else clocks.accept_by(at),
        accepted_at=at if choice.owner == by else None,
    )
    return outcome.then(
        lead, entry(at, by, "assigned", owner=choice.owner, rule=choice.rule), "lead.assigned"
    ).settled()


def waiting(outcome: Outcome, until: int) -> Outcome:
    """Return a lead for which nobody is free; it is looked at again at an instant, or when it is late."""
    lead = outcome.lead
    lead = changed(lead, state="waiting", owner=NOBODY, rule="", accept_by=None, accepted_at=None)
    due = _look_at(lead)
    return replace(outcome, lead=changed(lead, look_at=until if due is None else min(until, due)))


def passed(lead: Lead, by: str, at: int, act: str) -> Outcome:
    """Return a lead that its owner passed on, or let lie: it is looked at now, for somebody else."""
    if not lead.owner:
        raise BadRequest("Nobody has it, so nobody can pass it on.", code="lead_unowned")
    others = ",".join(dict.fromkeys([*lead.passed_by, lead.owner]))
    freed = changed(
        lead, state="waiting", owner=NOBODY, rule="", passed=others, accept_by=None, accepted_at=None
    )
    return Outcome(changed(freed, look_at=at), (entry(at, by, act, owner=lead.owner),))


def breached(lead: Lead, at: int, clocks: Clocks) -> Outcome:
    """Return a lead whose person nobody has spoken with in time; its owner does not keep it."""
    late = changed(lead, breaches=lead.breaches + 1, breached_at=at, due_at=clocks.due_at(at))
    told = Outcome(late).then(
        late, entry(at, TEKIL, "breached", owner=lead.owner, due_at=lead.due_at), "lead.breached"
    )
    if late.breaches >= LAST_BREACH:
        late = changed(late, due_at=None)
        told = replace(told, lead=late)
        if clocks.escalate_to:
            handed = changed(
                late, state="assigned", owner=clocks.escalate_to, rule="", assigned_at=at, accept_by=None
            )
            told = told.then(handed, entry(at, TEKIL, "escalated", owner=handed.owner), "lead.escalated")
        return told.settled()
    if lead.owner:
        late = changed(late, passed=",".join(dict.fromkeys([*late.passed_by, lead.owner])))
    return replace(told, lead=late).settled()


def joined(lead: Lead, to: Lead, at: int) -> tuple[Outcome, Outcome]:
    """Return a lead of somebody who has an open one already, and that one, which it is joined to."""
    told = changed(lead, state="duplicate", duplicate_of=to.id, closed_at=at, look_at=None)
    first = Outcome(told, (entry(at, TEKIL, "duplicate", lead=to.id),))
    value = to.value if to.value is not None else lead.value
    again = entry(at, TEKIL, "again", lead=lead.id, form=lead.form, channel=lead.channel)
    return first, Outcome(changed(to, value=value), (again,), ("lead.again",))


def notice(outcome: Outcome, what: str, at: int) -> tuple[str, str]:
    """Return a notice that is owed: what of, and its JSON. It names the lead, and nobody's person."""
    lead = outcome.lead
    told: Mapping[str, Any] = {
        "what": what,
        "lead": lead.id,
        "pipeline": lead.pipeline,
        "stage": lead.stage,
        "state": lead.state,
        "owner": lead.owner,
        "source": lead.source,
        "channel": lead.channel,
        "breaches": lead.breaches,
        "due_at": lead.due_at,
        "at": at,
    }
    return what, msgspec.json.encode(told).decode()


def _accepted(lead: Lead, by: str, at: int) -> Outcome:
    if lead.owner not in (NOBODY, by):
        raise BadRequest(f"It is {lead.owner}'s. Have it given to you first.", code="lead_owned")
    taken = changed(
        lead,
        state="accepted",
        owner=by,
        accepted_at=at,
        accept_by=None,
        assigned_at=lead.assigned_at if lead.owner else at,
    )
    return Outcome(taken, (entry(at, by, "accepted"),))


def _contacted(lead: Lead, by: str, at: int) -> Outcome:
    told = entry(at, by, "contacted", first=lead.contacted_at is None)
    return Outcome(_reached(lead, by, at), (told,))


def _reached(lead: Lead, by: str, at: int) -> Lead:
    """Return a lead whose person somebody has spoken with: no clock runs any more."""
    return changed(
        lead,
        state="accepted",
        owner=lead.owner or by,
        contacted_at=lead.contacted_at or at,
        accepted_at=lead.accepted_at or at,
        accept_by=None,
    )


def _moved(lead: Lead, act: Move, by: str, at: int, pipeline: Pipeline) -> Outcome:
    stage = pipeline.stage(act.stage).name
    if stage == lead.stage:
        return Outcome(lead)
    moved = changed(lead, stage=stage, stage_since=at)
    spent = (at - lead.stage_since) // 1_000_000
    return Outcome(moved, (entry(at, by, "moved", stage=stage, before=lead.stage, seconds=spent),))


def _closed(lead: Lead, by: str, at: int, state: str, **members: Any) -> Outcome:
    contacted = lead.contacted_at or (at if state == "won" else None)
    over = changed(
        lead,
        state=state,
        closed_at=at,
        accept_by=None,
        contacted_at=contacted,
        owner=lead.owner or by,
        **members,
    )
    told = entry(at, by, state, reason=over.lost_reason, value=over.value)
    return Outcome(over, (told,), (f"lead.{state}",))


def _judged(lead: Lead, act: Judge, by: str, at: int) -> Outcome:
    if act.quality not in QUALITIES:
        raise BadRequest(f"A lead is one of: {', '.join(QUALITIES)}.", code="quality_unknown")
    return Outcome(changed(lead, quality=act.quality), (entry(at, by, "judged", quality=act.quality),))


def _reopened(lead: Lead, by: str, at: int) -> Outcome:
    if lead.is_open:
        raise BadRequest("It is open.", code="lead_open")
    state = "accepted" if lead.owner else "waiting"
    again = changed(
        lead, state=state, closed_at=None, lost_reason="", duplicate_of="", due_at=None, look_at=at
    )
    return Outcome(again, (entry(at, by, "reopened"),)).settled()


def _look_at(lead: Lead) -> int | None:
    """Return when something happens to a lead by itself: nobody took it, or called the person, in time."""
    clocks = [
        lead.accept_by if lead.state == "assigned" else None,
        lead.due_at if lead.is_open and lead.contacted_at is None else None,
    ]
    return min((at for at in clocks if at is not None), default=None)
