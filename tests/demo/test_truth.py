"""The truth knows whose every identifier is, and never calls one two people's."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest

from tekil.demo.people import Town
from tekil.demo.truth import Truth, Witness
from tekil.demo.wire import named_in
from tekil.messages import normalise
from tests.demo.conftest import UNTIL, Story


@pytest.fixture(scope="module")
def truth(story: Story) -> Truth:
    return story.company.truth()


def owners(truth: Truth) -> dict[tuple[str, str], set[str]]:
    """Return who owns each identifier in its normal form."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for owner in (*truth.persons, *truth.households):
        for kind, values in owner.identifiers.items():
            for value in values:
                found[kind, normalise(kind, value) or value].add(owner.id)
    return found


def test_no_identifier_is_two_peoples_however_it_is_written(truth: Truth) -> None:
    assert {key: who for key, who in owners(truth).items() if len(who) > 1} == {}


def test_every_name_and_address_said_is_somebodys(story: Story, truth: Truth) -> None:
    known = {
        (kind, value) for p in truth.persons for kind, values in p.identifiers.items() for value in values
    }
    shared = {(item.kind, item.value) for item in truth.shared}
    spoken = {pair for m in story.messages() if m["type"] != "group" for pair in named_in(m)}
    strangers = {(kind, value) for kind, value in spoken - known - shared if kind != "anonymous_id"}
    assert strangers == set()
    assert not known & shared


def test_the_truth_holds_nothing_that_was_never_said(story: Story, truth: Truth) -> None:
    spoken = {pair for message in story.messages() for pair in named_in(message)}
    for owner in (*truth.persons, *truth.households):
        for kind, values in owner.identifiers.items():
            assert {(kind, value) for value in values} <= spoken, owner.id


def test_passers_by_and_robots_are_nobody(story: Story, truth: Truth) -> None:
    known = set(owners(truth))
    for message in story.messages():
        if "Googlebot" in message.get("context", {}).get("userAgent", ""):
            assert ("anonymous_id", message["anonymousId"]) not in known


def test_a_tablet_is_its_households_and_several_people_sign_in_on_it(story: Story, truth: Truth) -> None:
    tablets = {value: h for h in truth.households for value in h.identifiers.get("anonymous_id", [])}
    users = {value: p for p in truth.persons for value in p.identifiers.get("user_id", [])}
    signed_in = [m for m in story.messages() if m.get("anonymousId") in tablets and "userId" in m]
    assert signed_in
    for message in signed_in:
        assert users[message["userId"]].id in tablets[message["anonymousId"]].members


def test_purchases_are_the_orders_that_were_sent(story: Story, truth: Truth) -> None:
    sent = {m["properties"]["order_id"]: m["properties"]["total"] for m in story.tracks("Order Completed")}
    true = {p.order_id: p.total for person in truth.persons for p in person.purchases}
    unknown = len(sent) - len(true)
    assert {order: f"{sent[order]:.2f}" for order in true} == true
    assert 0 < unknown < len(sent) / 2


def test_first_touches_are_first(truth: Truth) -> None:
    for person in truth.persons:
        if person.first_touch is not None and person.purchases:
            assert person.first_touch.at <= person.purchases[0].at
    channels = {person.first_touch.channel for person in truth.persons if person.first_touch}
    assert {"paid search", "organic search", "stores"} <= channels


def test_people_have_several_devices_and_some_two_numbers(truth: Truth) -> None:
    assert sum(len(p.identifiers.get("anonymous_id", [])) > 1 for p in truth.persons) > 100
    assert any(len(p.identifiers.get("user_id", [])) == 2 for p in truth.persons)


def test_names_are_turkish(truth: Truth) -> None:
    letters = set("".join(p.first_name + p.last_name for p in truth.persons))
    assert set("İıŞşğÇçÖöÜü") <= letters


def test_it_survives_being_written_down(truth: Truth) -> None:
    assert msgspec.json.decode(msgspec.json.encode(truth), type=Truth) == truth
    assert truth.until == UNTIL


def test_a_witness_who_hears_of_two_owners_says_so() -> None:
    witness = Witness()
    witness.owns("person-1", "email", "a@b.example")
    witness.owns("person-1", "email", "a@b.example")
    with pytest.raises(AssertionError, match="person-2 and to person-1"):
        witness.owns("person-2", "email", "a@b.example")
    assert witness.truth(Town((), (), ()), seed=1, until=UNTIL).persons == []
