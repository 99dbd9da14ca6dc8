"""Who gets a lead: fair to within one, never somebody who is away or full, and the same answer each time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.definitions import InvalidDefinitions, check, parse
from tekil.kinds import KINDS
from tekil.leads.routing import (
    GROUPS_KEPT,
    WHOLE,
    Absence,
    Agent,
    RoutingSpec,
    Rule,
    Turns,
    Wanted,
    When,
    assign,
    place_key,
)

MONDAY = date(2026, 3, 2)
NAMES = [f"agent{n}" for n in range(8)]


def deal(
    spec: RoutingSpec,
    leads: int,
    day: date = MONDAY,
    turns: Turns | None = None,
    wanted: Wanted | None = None,
) -> tuple[list[str | None], Turns]:
    """Hand out so many leads on a day, none of which is closed meanwhile."""
    state, owners, load = turns or Turns(), [], Counter[str]()
    for _ in range(leads):
        choice, state = assign(spec, state, wanted or Wanted(), day, load)
        owners.append(choice.owner if choice else None)
        load[owners[-1] or ""] += 1
    return owners, state


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8), st.integers(1, 150))
def test_at_every_moment_each_has_had_their_share_to_within_one(weights: list[int], leads: int) -> None:
    spec = RoutingSpec(tuple(Agent(n, w) for n, w in zip(NAMES, weights, strict=False)))
    owners, _ = deal(spec, leads)
    total, had = sum(weights), Counter[str]()
    for dealt, owner in enumerate(owners, 1):
        assert owner is not None
        had[owner] += 1
        for agent in spec.agents:
            assert abs(had[agent.name] * total - dealt * agent.weight) < total


AGENTS = st.builds(
    Agent,
    st.just("x"),
    weight=st.integers(1, 5),
    capacity=st.none() | st.integers(1, 6000).map(lambda n: n / WHOLE),
    open_max=st.none() | st.integers(1, 9),
    skills=st.sets(st.sampled_from(["en", "b2b"])).map(tuple),
    territories=st.sets(st.sampled_from(["İzmir", "ANKARA"])).map(tuple),
    away=st.just(()) | st.integers(0, 5).map(lambda n: (absence(n, n + 1),)),
)
RULES = st.builds(
    Rule,
    st.sampled_from(["one", "two"]),
    audience=st.sampled_from(["", "rich"]),
    when=st.just(When()) | st.just(When(channels=("call",))),
    skills=st.sets(st.sampled_from(["en", "b2b"])).map(tuple),
    territory=st.booleans(),
)
LEADS = st.builds(
    Wanted,
    channel=st.sampled_from(["form", "call"]),
    places=st.sets(st.sampled_from(["izmir", "ankara"])).map(frozenset),
    audiences=st.sets(st.sampled_from(["rich"])).map(frozenset),
    passed=st.sets(st.sampled_from(NAMES[:3])).map(frozenset),
)


def absence(first: int, last: int) -> Absence:
    return Absence(str(MONDAY + timedelta(days=first)), str(MONDAY + timedelta(days=last)))


@given(
    st.lists(AGENTS, min_size=1, max_size=5),
    st.lists(RULES, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 1), LEADS), max_size=40),
)
def test_nobody_gets_a_lead_who_may_not_have_it_and_the_answer_is_always_the_same(
    agents: list[Agent], rules: list[Rule], leads: list[tuple[int, Wanted]]
) -> None:
    named = tuple(msgspec.structs.replace(a, name=n) for a, n in zip(agents, NAMES, strict=False))
    rules = [msgspec.structs.replace(rule, name=f"rule{n}") for n, rule in enumerate(rules)]
    spec = RoutingSpec(named, rules=tuple(rules))
    by_name = {agent.name: agent for agent in named}
    turns, day, load, given_to = Turns(), MONDAY, Counter[str](), Counter[str]()
    days = 1
    for passes, wanted in leads:
        day, days = day + timedelta(days=passes), days + passes
        before = msgspec.json.encode(turns)
        choice, after = assign(spec, turns, wanted, day, load)
        assert assign(spec, msgspec.json.decode(before, type=Turns), wanted, day, load) == (choice, after)
        if choice is None:
            assert after.groups == turns.groups
            turns = after
            continue
        agent, rule = by_name[choice.owner], next(r for r in rules if r.name == choice.rule)
        assert not agent.is_away(day)
        assert agent.name not in wanted.passed
        assert set(rule.skills) <= set(agent.skills)
        assert not rule.territory or {place_key(t) for t in agent.territories} & wanted.places
        assert agent.open_max is None or load[agent.name] < agent.open_max
        load[agent.name] += 1
        given_to[agent.name] += 1
        assert agent.daily is None or given_to[agent.name] * WHOLE <= days * agent.daily
        turns = after


def test_a_fraction_of_a_lead_is_carried_over_and_no_more() -> None:
    spec = RoutingSpec((Agent("ada", capacity=2.5),))
    turns, counts = Turns(), []
    for day in range(6):
        owners, turns = deal(spec, 5, MONDAY + timedelta(days=day), turns)
        counts.append(sum(owner == "ada" for owner in owners))
    assert counts == [2, 3, 2, 3, 2, 3]
    # A quiet day leaves nothing behind but the fraction.
    assert [o for o in deal(spec, 9, MONDAY + timedelta(days=9))[0] if o] == ["ada"] * 2
    slow = RoutingSpec((Agent("ada", capacity=0.4),))
    state, got = Turns(), []
    for day in range(10):
        owners, state = deal(slow, 1, MONDAY + timedelta(days=day), state)
        got.append(owners[0] is not None)
    # 0.4, 0.8, 1.2: the third day is the first with a whole one.
    assert got == [False, False, True, False, True, False, False, True, False, True]


def test_a_quiet_day_gives_its_fraction_to_the_next() -> None:
    spec = RoutingSpec((Agent("ada", capacity=0.4),))
    _, turns = deal(spec, 1)
    assert deal(spec, 1, MONDAY + timedelta(days=2), turns)[0] == ["ada"]


def test_the_first_rule_with_somebody_free_decides() -> None:
    spec = RoutingSpec(
        (Agent("ada", open_max=1), Agent("ece"), Agent("can", territories=("İzmir",))),
        rules=(
            Rule("rich", audience="rich", agents=("ada",)),
            Rule("near", territory=True),
            Rule("calls", when=When(channels=("call",), facts={"product": "plus"}), agents=("ece",)),
        ),
    )
    rich = Wanted(audiences=frozenset({"rich"}), places=frozenset({place_key("IZMIR")}))
    assert deal(spec, 2, wanted=rich)[0] == ["ada", "can"]
    assert deal(spec, 1, wanted=Wanted(channel="call", facts={"product": "plus"}))[0] == ["ece"]
    assert deal(spec, 1, wanted=Wanted(channel="call"))[0] == [None]


def test_whoever_was_away_is_not_flooded_on_return() -> None:
    spec = RoutingSpec((Agent("ada"), Agent("ece", away=(absence(0, 0),))))
    _, turns = deal(spec, 10)
    owners, _ = deal(spec, 4, MONDAY + timedelta(days=1), turns)
    assert Counter(owners) == {"ada": 2, "ece": 2}


def test_turns_of_many_groups_do_not_pile_up() -> None:
    turns = Turns(groups={str(n): {"x": 1} for n in range(GROUPS_KEPT)})
    _, after = deal(RoutingSpec((Agent("ada"), Agent("ece"))), 1, turns=turns)
    assert len(after.groups) == GROUPS_KEPT
    assert "0" not in after.groups


DOCUMENT = """\
kind: routing
name: sales_desk
spec:
  agents:
    - {name: ayse@example.com, weight: 2, capacity: 7.5, skills: [en]}
    - {name: mehmet, away: [{from: 2026-07-01, until: 2026-07-15}]}
  rules: [{name: english, skills: [en], agents: [ayse@example.com]}, {name: rest}]
  accept_within: 15 minutes
  first_contact: 1 hour
  escalate_to: chief@example.com
"""


def flaws_of(text: str) -> str:
    try:
        check(KINDS, parse(text), [])
    except InvalidDefinitions as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("weight: 2", "weight: 0", "A weight is"),
        ("capacity: 7.5", "capacity: -1", "A capacity is"),
        ("name: mehmet", "name: ayse@example.com", "is there twice"),
        ("name: mehmet", "name: Mehmet Can", "no spaces"),
        ("until: 2026-07-15", "until: 2026-06-15", "the earlier one first"),
        ("15 minutes", "15 days", "no span of working time"),
        ("agents: [ayse@example.com]", "agents: [ece]", "none of the agents"),
        ("weight: 2", "height: 2", "unknown field"),
    ],
)
def test_a_routing_says_what_is_wrong_with_it(old: str, new: str, told: str) -> None:
    found = flaws_of(DOCUMENT.replace(old, new, 1))
    assert (found == "") if not told else (told in found)


def test_a_pipeline_has_one_routing() -> None:
    second = DOCUMENT.replace("name: sales_desk", "name: other")
    assert "says already who gets the leads of sales" in flaws_of(f"{DOCUMENT}---\n{second}")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("stages: [{name: new}, {name: offer, chance: 60}]", ""),
        ("stages: []", "1 to 20 stages"),
        ("stages: [{name: new}, {name: new}]", "is there twice"),
        ("stages: [{name: New}]", "is no name"),
        ("stages: [{name: new, chance: 101}]", "A chance is"),
        ("stages: [{name: new}]\n  currency: lira", "three letters"),
        ("stages: [{name: new}]\n  lost_reasons: [{name: 'a b'}]", "is no name"),
        ("colour: red", "unknown field"),
    ],
)
def test_a_pipeline_says_what_is_wrong_with_it(spec: str, told: str) -> None:
    found = flaws_of(f"kind: pipeline\nname: sales\nspec:\n  {spec}\n")
    assert (found == "") if not told else (told in found)
