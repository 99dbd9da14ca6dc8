"""What a person allows: the last choice wins, of each address its own, whatever came first."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import BadRequest
from tekil.privacy.consents import state
from tekil.privacy.ledger import ConsentLedger
from tekil.store import Store
from tekil.store.consent_entries import OBSERVED, Entry, daily_changes, entry_id, latest, settle
from tests.privacy.conftest import NOON_US, Clock

DAY = 86_400 * 1_000_000


def entry(at: int, given: bool, recorded_by: str = "", purpose: str = "marketing") -> Entry:
    source = recorded_by or "console"
    made = entry_id("t", purpose, "email", given, at, source)
    return Entry(made, "email", "t", purpose, "email", given, at, at, source, recorded_by=recorded_by)


choices = st.lists(
    st.builds(
        entry, st.integers(0, 12), st.booleans(), st.just(""), st.sampled_from(["marketing", "sharing"])
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@given(choices, st.integers(0, 12), st.randoms())
def test_the_order_of_arrival_makes_no_difference(entries: list[Entry], at: int, r: random.Random) -> None:
    shuffled = list(entries)
    r.shuffle(shuffled)
    assert state(shuffled, at) == state(entries, at)


@given(choices, st.integers(0, 12))
def test_as_of_an_instant_is_what_was_then(entries: list[Entry], at: int) -> None:
    assert state(entries, at) == state([e for e in entries if e.at <= at])


@given(choices)
def test_of_two_choices_at_one_instant_the_withdrawal_wins(entries: list[Entry]) -> None:
    for (purpose, _), valid in state(entries).items():
        rivals = [e for e in entries if e.purpose == purpose and e.at == valid.at]
        assert valid.given == all(e.given for e in rivals)


@given(choices)
def test_the_daily_changes_add_up_to_what_is_valid(entries: list[Entry]) -> None:
    one = [e for e in entries if e.purpose == "marketing"]
    last = latest(one)
    assert sum(daily_changes(one).values()) == int(last is not None and last.given)


observations = st.lists(
    st.builds(entry, st.integers(0, 8), st.booleans(), st.just(OBSERVED)), min_size=1, max_size=10
)


@given(observations, st.data())
def test_a_banners_last_word_holds_however_late_its_earlier_ones_come(
    said: list[Entry], data: st.DataObject
) -> None:
    arriving = data.draw(st.permutations(said))
    known: list[Entry] = []
    seen: dict[bool, Entry] = {}
    while arriving:
        size = data.draw(st.integers(1, len(arriving)))
        new, seen = settle(known, seen, arriving[:size])
        known += new
        arriving = arriving[size:]
    found, expected = latest(known), latest(said)
    assert found is not None
    assert expected is not None
    assert found.given == expected.given
    assert len({e.id for e in known}) == len(known)


def test_a_banner_that_repeats_itself_says_nothing_new_and_undoes_no_withdrawal() -> None:
    first = entry(1, True, OBSERVED)
    new, seen = settle([], {}, [first, entry(2, True, OBSERVED)])
    assert new == [first]
    withdrawn = entry(3, False)
    again, seen = settle([first, withdrawn], seen, [entry(4, True, OBSERVED)])
    assert again == []
    changed, _ = settle([first, withdrawn], seen, [entry(5, False, OBSERVED), entry(6, True, OBSERVED)])
    assert [(e.at, e.given) for e in changed] == [(5, False), (6, True)]


EMAIL = ("email", "ayse@example.com")


def give(ledger: ConsentLedger, of: tuple[str, str], channel: str, given: bool = True, **more: Any) -> Entry:
    return ledger.record(*of, "marketing", channel, given, source="web", recorded_by="test", **more)


def test_nothing_may_be_sent_before_anything_was_said(ledger: ConsentLedger) -> None:
    assert not ledger.may_send([EMAIL], "marketing", "email").allowed


def test_consent_for_one_address_says_nothing_of_another(ledger: ConsentLedger) -> None:
    other = ("email", "work@example.com")
    entry = give(ledger, ("email", " AYSE@example.com"), "email")
    permission = ledger.may_send([EMAIL, other, ("user_id", "u1")], "marketing", "email")
    assert (permission.addresses, permission.because) == (("ayse@example.com",), (entry,))
    assert not ledger.may_send([other], "marketing", "email").allowed
    assert not ledger.may_send([EMAIL], "marketing", "sms").allowed
    assert not ledger.may_send([EMAIL], "sharing", "web").allowed


def test_a_later_choice_for_the_whole_person_counts_for_all_addresses(
    ledger: ConsentLedger, clock: Clock
) -> None:
    give(ledger, EMAIL, "email")
    clock.pass_time(seconds=1)
    give(ledger, ("user_id", "u1"), "email", given=False)
    assert not ledger.may_send([EMAIL, ("user_id", "u1")], "marketing", "email").allowed
    assert ledger.may_send([EMAIL], "marketing", "email").allowed
    clock.pass_time(seconds=1)
    give(ledger, EMAIL, "email")
    assert ledger.may_send([EMAIL, ("user_id", "u1")], "marketing", "email").allowed


def test_what_was_allowed_is_asked_of_the_instant_of_sending(ledger: ConsentLedger, clock: Clock) -> None:
    give(ledger, EMAIL, "email")
    clock.pass_time(days=1)
    give(ledger, EMAIL, "email", given=False)
    assert ledger.may_send([EMAIL], "marketing", "email", at=NOON_US + 5).allowed
    assert not ledger.may_send([EMAIL], "marketing", "email").allowed


@pytest.mark.parametrize(
    ("of", "purpose", "channel", "code"),
    [
        (("email", "nobody"), "marketing", "email", "identifier_invalid"),
        (("shoe", "43"), "marketing", "email", "identifier_invalid"),
        (("email", "a\0b@example.com"), "marketing", "email", "identifier_invalid"),
        (EMAIL, "world domination", "email", "purpose_unknown"),
        (EMAIL, "analytics", "email", "channel_unknown"),
    ],
)
def test_what_does_not_exist_cannot_be_recorded(
    ledger: ConsentLedger, of: tuple[str, str], purpose: str, channel: str, code: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        ledger.record(*of, purpose, channel, True, source="web", recorded_by="test")
    assert caught.value.code == code
    assert ledger.store.consents.newest() == []


def test_a_consent_of_tomorrow_is_refused(ledger: ConsentLedger) -> None:
    with pytest.raises(BadRequest, match="future"):
        give(ledger, EMAIL, "email", at=NOON_US + DAY)


def test_the_same_choice_again_is_one_entry(ledger: ConsentLedger, store: Store) -> None:
    assert give(ledger, EMAIL, "email", at=NOON_US) == give(ledger, EMAIL, "email", at=NOON_US)
    assert len(store.consents.newest()) == 1
    assert [(t.purpose, t.channel, t.given) for t in store.consents.totals()] == [("marketing", "email", 1)]


def test_no_address_is_in_the_store(ledger: ConsentLedger, store: Store) -> None:
    made = give(ledger, EMAIL, "email")
    assert EMAIL[1] not in msgspec.json.encode(made).decode()
    assert EMAIL[1].encode() not in store.sealed_values.get_many([made.token])[0].sealed
    assert ledger.tokens.reveal(made.token) == EMAIL[1]
