"""What happens to leads by itself: who gets them, and what follows where somebody is late.

A chore of the engine. All that is decided, pure functions decide (`routing`, `life`); here they are given
what they need, and what comes out is written down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from tekil.errors import NotFound, Unavailable
from tekil.leads.hearing import microseconds
from tekil.leads.life import (
    LOOK_AGAIN_US,
    TEKIL,
    Clocks,
    Outcome,
    breached,
    changed,
    given,
    joined,
    notice,
    passed,
    waiting,
)
from tekil.leads.pipelines import Pipeline, pipeline_of, pipelines_in_force
from tekil.leads.routing import RoutingSpec, Turns, Wanted, assign, place_key, routings_in_force
from tekil.leads.sayings import SAID, entry_of
from tekil.log import Log
from tekil.privacy.tokens import Tokens
from tekil.store import Card, Store
from tekil.store.definitions import Definitions
from tekil.store.leads import Lead, LeadChanged

LOOK_US = 1_000_000
"""How often it is looked whether a lead asks for anything."""

UNROUTED_US = 3_600 * 1_000_000
"""How soon a lead is looked at again that no rule is for."""

PUT_OFF_US = 3_600 * 1_000_000
"""How soon a lead is looked at again that could not be looked after."""

PLACES = ("city", "country", "region", "territory")
"""Members of what a lead says that are places."""

Audiences = Callable[[str], frozenset[str]]
"""From a person id to the audiences that the person is in."""

logger = logging.getLogger("tekil.leads")


@dataclass(frozen=True, slots=True)
class Playbook:
    """What is in force: pipelines, and for each who gets its leads, and how soon."""

    revision: int
    pipelines: dict[str, Pipeline]
    routings: dict[str, RoutingSpec]
    clocks: dict[str, Clocks]

    @classmethod
    def read(cls, definitions: Definitions, zone: str) -> Playbook:
        """Return what is in force. Raises `Unavailable` while the store is away."""
        revision = definitions.revision()
        pipelines, routings = pipelines_in_force(definitions), routings_in_force(definitions)
        clocks = {name: Clocks.of(routings.get(name), zone) for name in pipelines}
        return cls(revision, pipelines, routings, clocks)

    def pipeline(self, lead: Lead) -> Pipeline:
        """Return a lead's pipeline."""
        return pipeline_of(self.pipelines, lead.pipeline)

    def clocks_of(self, lead: Lead) -> Clocks:
        """Return what clocks run for a lead."""
        return self.clocks[self.pipeline(lead).name]


class PlaybookInForce:
    """The playbook, read anew when a definition changes. For many threads."""

    def __init__(self, store: Store, zone: str) -> None:
        """Take where definitions are, and the zone of the workspace."""
        self._store, self._zone = store, zone
        self._known: Playbook | None = None

    def __call__(self) -> Playbook:
        """Return what is in force now."""
        if self._known is None or self._known.revision != self._store.definitions.revision():
            self._known = Playbook.read(self._store.definitions, self._zone)
        return self._known


class LeadRunner:
    """Looks at the leads that ask for it, on the engine's thread between two cycles."""

    def __init__(
        self,
        store: Store,
        log: Log,
        tokens: Tokens,
        playbook: PlaybookInForce,
        audiences: Audiences,
        clock: Callable[[], datetime],
        every_us: int = LOOK_US,
    ) -> None:
        """Take the places, what stands for identifiers, what is in force, and who is in which audience."""
        self._every_us = every_us
        self._log = log
        self._store, self._tokens, self._playbook = store, tokens, playbook
        self._audiences, self._clock = audiences, clock
        self._next = 0

    def step(self) -> bool:
        """Look at some of those whose time has come; return whether there were any."""
        now = microseconds(self._clock())
        if now < self._next:
            return False
        self._next = now + self._every_us
        found = self._store.leads.due(now)
        playbook = self._playbook() if found else None
        for lead in found:
            assert playbook is not None
            try:
                self._look(lead, playbook, now)
            except LeadChanged:
                logger.info("The lead %s was changed meanwhile; it is looked at again.", lead.id)
            except Unavailable:
                raise
            except Exception:
                # One lead that cannot be looked after must not keep everything else from being done.
                logger.exception("The lead %s could not be looked after; again in an hour.", lead.id)
                self._store.leads.put_off(lead.id, now + PUT_OFF_US)
        self._remind(now)
        self._say(now)
        if found:
            self._next = 0
        return bool(found)

    def _look(self, lead: Lead, playbook: Playbook, now: int) -> None:
        clocks = playbook.clocks_of(lead)
        if lead.state == "new":
            if (first := self._open_already(lead)) is not None:
                self._join(lead, first, now)
                return
            outcome = Outcome(changed(lead, due_at=clocks.due_at(lead.received_at)))
            self._route(lead, outcome, playbook, now)
        elif lead.contacted_at is None and lead.due_at is not None and lead.due_at <= now:
            outcome = breached(lead, now, clocks)
            if outcome.lead.due_at is None and outcome.lead.owner:
                self._save(lead, outcome, now)
            else:
                self._route(lead, outcome, playbook, now)
        elif lead.state == "assigned" and lead.accept_by is not None and lead.accept_by <= now:
            self._route(lead, passed(lead, TEKIL, now, "let_lie"), playbook, now)
        elif lead.state == "waiting":
            self._route(lead, Outcome(lead), playbook, now)
        else:
            self._save(lead, Outcome(lead).settled(), now)

    def _route(self, before: Lead, outcome: Outcome, playbook: Playbook, now: int) -> None:
        """Give a lead to whoever is free; let it wait where nobody is, or is there."""
        lead, clocks = outcome.lead, playbook.clocks_of(before)
        spec = playbook.routings.get(playbook.pipeline(before).name)
        if spec is None:
            self._save(before, waiting(outcome, now + UNROUTED_US), now)
            return
        if not clocks.hours.is_open(now):
            self._save(before, waiting(outcome, clocks.hours.after(now, 0)), now)
            return
        turns = self._turns(spec.pipeline)
        load = self._store.leads.load()
        choice, after = assign(spec, turns, self._wanted(lead), clocks.hours.day(now), load)
        if choice is None:
            # Everybody may have passed it on: then it goes round once more.
            kept = _kept_by_its_owner(before, outcome)
            self._save(before, kept or waiting(_round_again(outcome), now + LOOK_AGAIN_US), now)
            return
        self._save(before, given(outcome, choice, now, clocks), now)
        self._store.leads.put_turns(spec.pipeline, msgspec.json.encode(after).decode())

    def _turns(self, pipeline: str) -> Turns:
        text = self._store.leads.turns(pipeline)
        return msgspec.json.decode(text, type=Turns) if text else Turns()

    def _wanted(self, lead: Lead) -> Wanted:
        said = lead.said
        card = self._person(lead)
        return Wanted(
            channel=lead.channel,
            form=lead.form,
            source=lead.source,
            facts={name: str(value) for name, value in said.items()},
            places=frozenset(place_key(str(said[name])) for name in PLACES if said.get(name)),
            audiences=frozenset() if card is None else self._audiences(card.person_id),
            passed=frozenset(lead.passed_by),
        )

    def _person(self, lead: Lead) -> Card | None:
        return self._store.cards.find(lead.name_kind, lead.name_value)

    def _open_already(self, lead: Lead) -> Lead | None:
        """Return an open lead of the same person in the same pipeline that came, or was looked at, before."""
        card = self._person(lead)
        tokens = {lead.token, lead.other_token}
        if card is not None:
            tokens |= {self._tokens.token(i.kind, i.value) for i in card.identifiers}
        earlier = [
            other
            for other in self._store.leads.open_of(tokens)
            if other.id != lead.id
            and other.pipeline == lead.pipeline
            and self._is_same(lead, card, other)
            and (other.state != "new" or (other.received_at, other.id) < (lead.received_at, lead.id))
        ]
        return earlier[0] if earlier else None

    def _is_same(self, lead: Lead, card: Card | None, other: Lead) -> bool:
        """Return whether two leads are one person's; a device that both came from does not make them so."""
        theirs = self._person(other)
        if card is None or theirs is None:
            return lead.token == other.token
        return card.person_id == theirs.person_id

    def _join(self, lead: Lead, first: Lead, now: int) -> None:
        duplicate, original = joined(lead, first, now)
        self._save(first, original, now)
        self._save(lead, duplicate, now)

    def _save(self, before: Lead, outcome: Outcome, now: int) -> None:
        owed = [notice(outcome, what, now) for what in outcome.notices]
        self._store.leads.save(before, outcome.lead, outcome.entries, owed)

    def _say(self, now: int) -> None:
        """Say through the log what salespeople did. What is said twice, by a crash, is one message."""
        for owed in self._store.leads.owed(what=SAID):
            self._log.append([entry_of(owed, now)])
            self._store.leads.paid(owed.id)

    def _remind(self, now: int) -> None:
        for task in self._store.leads.reminders(now):
            # Whoever is erased meanwhile is reminded of no more.
            with suppress(NotFound):
                lead = self._store.leads.get(task.lead_id)
                self._store.leads.remind(lead, task, notice(Outcome(lead), "lead.task_due", now), now)


def _kept_by_its_owner(before: Lead, outcome: Outcome) -> Outcome | None:
    """Return a late lead that nobody else can take, so that its owner has it still."""
    is_late = outcome.lead.breaches > before.breaches
    return outcome.settled() if is_late and before.owner else None


def _round_again(outcome: Outcome) -> Outcome:
    return replace(outcome, lead=changed(outcome.lead, passed=""))
