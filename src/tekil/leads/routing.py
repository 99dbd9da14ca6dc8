"""Who gets a lead: rules as definitions, and a pure function from a lead and the turns so far to an owner.

Among those who could all have a lead, turns are dealt so that at every moment each has had what their
weight gives them, to within one lead. That is earliest deadline first over the windows of proportionate
progress (Baruah, Cohen, Plaxton, Varvel 1996, "Proportionate progress"): the n-th lead of somebody with the
share w may come from ⌊(n−1)/w⌋ on, and must by ⌈n/w⌉. Whoever was away is not given twice as many later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import msgspec

from tekil.definitions import Definition, Flaw, Kind, stored
from tekil.definitions.document import Place, flaw_of
from tekil.leads.hours import HoursSpec, hours_flaws, span_flaws
from tekil.store import Definitions

AGENT_NAME = re.compile(r"[^\s,]{1,128}")
WHOLE = 1000
"""Capacity is counted in thousandths of a lead, so that 7.5 a day is exact."""

GROUPS_KEPT = 300
"""Groups of colleagues whose turns are remembered; the one that had none for longest begins anew."""


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """Days (ISO) on which somebody is away, the last one included."""

    since: str
    until: str


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who gets leads, by the name they sign in with.

    `weight` is their share beside the others'. `capacity` is how many leads they get on a working day, and
    may have a fraction, which is carried over; `open_max` how many may be open at once. `territories` are
    cities or countries as leads name them.
    """

    name: str
    weight: int = 1
    capacity: float | None = None
    open_max: int | None = None
    skills: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    away: tuple[Absence, ...] = ()

    @property
    def daily(self) -> int | None:
        """How many thousandths of leads they get on a working day."""
        return None if self.capacity is None else round(self.capacity * WHOLE)

    def is_away(self, day: date) -> bool:
        """Return whether they are away on a day."""
        return any(date.fromisoformat(one.since) <= day <= date.fromisoformat(one.until) for one in self.away)


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which leads a rule is for: all that is said must hold. `facts` are members of what the lead says."""

    channels: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    facts: dict[str, str] = {}


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """For which leads, and to whom: `agents` by name (all, where empty) who have the `skills`.

    `audience` asks that the person is in one. With `territory`, one of the agent's must be where the lead is.
    """

    name: str
    audience: str = ""
    when: When = When()
    skills: tuple[str, ...] = ()
    territory: bool = False
    agents: tuple[str, ...] = ()


class RoutingSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A routing's `spec`, for one pipeline.

    Of the rules the first that fits and has somebody free decides. Whoever gets a lead takes it within
    `accept_within`, or it goes to the next. `first_contact` is how soon somebody must have spoken with the
    person; a lead that is late goes to somebody else, and when it is late again, to `escalate_to`. Both are
    spans of working time.
    """

    agents: tuple[Agent, ...]
    pipeline: str = "sales"
    rules: tuple[Rule, ...] = (Rule("everybody"),)
    accept_within: str = ""
    first_contact: str = ""
    escalate_to: str = ""
    hours: HoursSpec = HoursSpec()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What decides who gets a lead. `places` are where it is; whoever is in `passed` does not get it."""

    channel: str = ""
    form: str = ""
    source: str = ""
    facts: Mapping[str, str] = {}
    places: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()


class Room(msgspec.Struct, frozen=True):
    """How many thousandths of leads somebody may still get on a day (its ordinal)."""

    day: int
    left: int


class Turns(msgspec.Struct, frozen=True):
    """How leads were dealt so far: room by agent; and by group of agents, how many each has had."""

    rooms: dict[str, Room] = {}
    groups: dict[str, dict[str, int]] = {}


class Choice(msgspec.Struct, frozen=True):
    """Who gets a lead, and by which rule."""

    owner: str
    rule: str


def assign(
    spec: RoutingSpec, turns: Turns, wanted: Wanted, day: date, load: Mapping[str, int]
) -> tuple[Choice | None, Turns]:
    """Return who gets a lead on a (working) day, and the turns after that; nobody where nobody is free.

    `load` is how many open leads each has. The same arguments give the same answer.
    """
    turns = Turns({**turns.rooms, **_opened(spec.agents, turns, day)}, turns.groups)
    for rule in spec.rules:
        if not matches(rule, wanted):
            continue
        free = [a for a in spec.agents if _is_for(rule, a, wanted) and _is_free(a, turns, day, load)]
        if free:
            chosen, groups = _deal(free, turns.groups)
            rooms = {**turns.rooms, **_taken(chosen, turns)}
            return Choice(chosen.name, rule.name), Turns(rooms, groups)
    return None, turns


def matches(rule: Rule, wanted: Wanted) -> bool:
    """Return whether a rule is for a lead."""
    when = rule.when
    return (
        (not rule.audience or rule.audience in wanted.audiences)
        and (not when.channels or wanted.channel in when.channels)
        and (not when.forms or wanted.form in when.forms)
        and (not when.sources or wanted.source in when.sources)
        and all(wanted.facts.get(name) == value for name, value in when.facts.items())
    )


def room_of(agent: Agent, turns: Turns, day: date) -> int | None:
    """Return how many thousandths of leads somebody may still get on a day; nothing for any number.

    What is left of a day is lost, but for the fraction: of 7.5 a day, 7 and 8 are given in turns. Of days on
    which nobody asked, too, only the fraction is left.
    """
    if agent.daily is None:
        return None
    before = turns.rooms.get(agent.name)
    if before is None:
        return agent.daily
    days = day.toordinal() - before.day
    return agent.daily + (before.left + (days - 1) * agent.daily) % WHOLE if days > 0 else before.left


def place_key(text: str) -> str:
    """Return the name of a place as it is compared: `İZMİR`, `izmir` and `İzmir ` are one.

    >>> place_key(" İZMİR") == place_key("Izmir")
    True
    """
    return text.strip().replace("İ", "i").replace("I", "i").replace("ı", "i").lower()


def _is_for(rule: Rule, agent: Agent, wanted: Wanted) -> bool:
    return (
        agent.name not in wanted.passed
        and (not rule.agents or agent.name in rule.agents)
        and set(rule.skills) <= set(agent.skills)
        and (not rule.territory or bool({place_key(one) for one in agent.territories} & wanted.places))
    )


def _is_free(agent: Agent, turns: Turns, day: date, load: Mapping[str, int]) -> bool:
    room = room_of(agent, turns, day)
    return (
        not agent.is_away(day)
        and (room is None or room >= WHOLE)
        and (agent.open_max is None or load.get(agent.name, 0) < agent.open_max)
    )


def _opened(agents: Sequence[Agent], turns: Turns, day: date) -> dict[str, Room]:
    """Return what everybody may still get on a day that somebody asks on."""
    rooms = {agent.name: room_of(agent, turns, day) for agent in agents}
    return {name: Room(day.toordinal(), left) for name, left in rooms.items() if left is not None}


def _taken(agent: Agent, turns: Turns) -> dict[str, Room]:
    room = turns.rooms.get(agent.name)
    return {} if room is None else {agent.name: Room(room.day, room.left - WHOLE)}


def _deal(
    free: Sequence[Agent], groups: Mapping[str, dict[str, int]]
) -> tuple[Agent, dict[str, dict[str, int]]]:
    """Return whose turn it is among those who are free, and the turns of all groups after that."""
    among = sorted(free, key=lambda agent: agent.name)
    group = " ".join(f"{agent.name}:{agent.weight}" for agent in among)
    had = groups.get(group, {})
    total = sum(agent.weight for agent in among)
    dealt = sum(had.values())

    def deadline(agent: Agent) -> Fraction:
        return Fraction((had.get(agent.name, 0) + 1) * total, agent.weight)

    ready = [a for a in among if had.get(a.name, 0) * total // a.weight <= dealt]
    chosen = min(ready, key=lambda agent: (-(-deadline(agent) // 1), agent.name))
    now = {**had, chosen.name: had.get(chosen.name, 0) + 1}
    # Once round, everybody has had exactly their share.
    after = {name: counts for name, counts in groups.items() if name != group}
    after[group] = {} if dealt + 1 == total else now
    for oldest in list(after)[: max(len(after) - GROUPS_KEPT, 0)]:
        del after[oldest]
    return chosen, after


def routings_in_force(definitions: Definitions) -> dict[str, RoutingSpec]:
    """Return the routing of each pipeline that has one."""
    found = [stored(version) for version in definitions.current(ROUTING_KIND.name)]
    specs = [msgspec.convert(definition.spec, RoutingSpec) for definition in found]
    return {spec.pipeline: spec for spec in specs}


def _check(definition: Definition) -> list[Flaw]:
    try:
        spec = msgspec.convert(definition.spec, RoutingSpec)
    except msgspec.ValidationError as error:
        return [flaw_of(error, ("spec",))]
    flaws = [*_agent_flaws(spec.agents), *hours_flaws(spec.hours, ("spec", "hours"))]
    for member in ("accept_within", "first_contact"):
        flaws += span_flaws(getattr(spec, member), ("spec", member))
    names = {agent.name for agent in spec.agents}
    if spec.escalate_to and AGENT_NAME.fullmatch(spec.escalate_to) is None:
        flaws.append(Flaw(("spec", "escalate_to"), "Name one colleague."))
    if not spec.rules:
        flaws.append(Flaw(("spec", "rules"), "Without a rule nobody gets a lead."))
    for number, rule in enumerate(spec.rules):
        for name in rule.agents:
            if name not in names:
                place: Place = ("spec", "rules", number, "agents")
                flaws.append(Flaw(place, f"{name!r} is none of the agents."))
    return flaws


def _agent_flaws(agents: Sequence[Agent]) -> list[Flaw]:
    flaws = []
    if not agents:
        flaws.append(Flaw(("spec", "agents"), "Name at least one colleague who gets leads."))
    names = [agent.name for agent in agents]
    for number, agent in enumerate(agents):
        place: Place = ("spec", "agents", number)
        if AGENT_NAME.fullmatch(agent.name) is None:
            flaws.append(Flaw((*place, "name"), "A name has no spaces and no commas."))
        if names.index(agent.name) < number:
            flaws.append(Flaw((*place, "name"), f"{agent.name!r} is there twice."))
        if not 1 <= agent.weight <= 100:
            flaws.append(Flaw((*place, "weight"), "A weight is 1 to 100."))
        if agent.capacity is not None and not 0 < agent.capacity <= 1000:
            flaws.append(Flaw((*place, "capacity"), "A capacity is more than 0, and 1000 at most."))
        if agent.open_max is not None and agent.open_max < 1:
            flaws.append(Flaw((*place, "open_max"), "At least one lead may be open."))
        for absence in agent.away:
            if not _is_span(absence):
                flaws.append(Flaw((*place, "away"), "Write days like 2026-07-01, the earlier one first."))
    return flaws


def _is_span(absence: Absence) -> bool:
    try:
        return date.fromisoformat(absence.since) <= date.fromisoformat(absence.until)
    except ValueError:
        return False


def _check_together(definitions: Sequence[Definition]) -> list[tuple[str, Flaw]]:
    owner: dict[str, str] = {}
    flaws = []
    for definition in definitions:
        pipeline = str(definition.spec.get("pipeline", "sales"))
        if pipeline in owner:
            told = f"{owner[pipeline]!r} says already who gets the leads of {pipeline}."
            flaws.append((definition.name, Flaw(("spec", "pipeline"), told)))
        owner.setdefault(pipeline, definition.name)
    return flaws


ROUTING_KIND = Kind("routing", _check, _check_together)
