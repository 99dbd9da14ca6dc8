"""The two ledgers in step: what is chosen here reaches İYS, what is changed there lands here."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from tekil.errors import TekilError, Unavailable
from tekil.privacy.iys.sync import IysSync
from tekil.privacy.ledger import ConsentLedger
from tekil.store import Store
from tests.privacy.conftest import Clock
from tests.privacy.iys.conftest import moment
from tests.privacy.iys.stand_in import StandIn

PHONE = ("phone", "+905321234567")
SMS = (PHONE[1], "BIREYSEL", "MESAJ")


def say(
    ledger: ConsentLedger,
    given: bool,
    channel: str = "sms",
    of: tuple[str, str] = PHONE,
    *,
    source: str = "preferences",
    at: int | None = None,
) -> None:
    ledger.record(*of, "marketing", channel, given, source=source, recorded_by="test", at=at)


def states(store: Store) -> dict[str, int]:
    return {state: count for state, count in store.iys.counts().items() if count}


def test_a_consent_and_its_withdrawal_reach_iys(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    say(ledger, True)
    assert sync.step().accepted == 1
    assert (stand_in.held[SMS]["status"], stand_in.held[SMS]["source"]) == ("ONAY", "HS_WEB")
    clock.pass_time(seconds=5)
    say(ledger, False, source="one-click")
    sync.step()
    assert (stand_in.held[SMS]["status"], stand_in.held[SMS]["source"]) == ("RET", "HS_EPOSTA")
    assert states(store) == {"accepted": 2}
    assert sync.step() == sync.step()


def test_what_iys_has_nothing_to_do_with_stays_here(
    ledger: ConsentLedger, sync: IysSync, store: Store
) -> None:
    say(ledger, True, "whatsapp")
    say(ledger, True, "email", ("user_id", "u1"))
    ledger.record(*PHONE, "sharing", "web", True, source="x", recorded_by="test")
    assert sync.step().collected == 0
    assert states(store) == {}


def test_many_go_in_one_request_and_each_has_its_own_outcome(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    stand_in.changed_by_recipient("b@example.com", "EPOSTA", "ONAY", moment(clock) - timedelta(hours=2))
    stand_in.moves.clear()
    say(ledger, True, "call")
    say(ledger, True, "email", ("email", "a@example.com"), source="fair")
    say(ledger, True, "email", ("email", "b@example.com"))
    say(ledger, True, "sms", ("phone", "+4915112345678"))
    sync.step()
    assert states(store) == {"sent": 3, "rejected": 1}
    sync.step()
    assert states(store) == {"accepted": 2, "rejected": 2}
    assert stand_in.held[("a@example.com", "BIREYSEL", "EPOSTA")]["source"] == "HS_ETKINLIK"
    assert sorted(r.code for r in store.iys.of_state("rejected")) == ["T104", "recipient_invalid"]


def test_quick_changes_of_one_mind_go_one_after_the_other(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    for given in (True, False, True):
        say(ledger, given)
        clock.pass_time(seconds=2)
    for _ in range(3):
        sync.step()
    assert [move["status"] for move in stand_in.moves] == ["ONAY", "RET", "ONAY"]
    assert states(store) == {"accepted": 3}


def test_an_old_consent_is_overdue_and_an_old_refusal_is_told_late(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    say(ledger, True)
    sync.step()
    clock.pass_time(days=1)
    say(ledger, False)
    say(ledger, True, "call")
    clock.pass_time(days=10)
    sync.step()
    assert states(store) == {"accepted": 2, "overdue": 1}
    assert stand_in.held[SMS]["status"] == "RET"
    assert [r.late for r in store.iys.of_state("accepted") if r.status == "RET"] == [True]


def test_a_first_refusal_is_not_told_unless_iys_holds_a_consent_we_never_told_it(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    say(ledger, False)
    sync.step()
    assert [r.code for r in store.iys.of_state("rejected")] == ["first_is_refusal"]
    other = "+905550000000"
    stand_in.changed_by_recipient(other, "MESAJ", "ONAY", moment(clock) - timedelta(days=30))
    stand_in.moves.clear()
    say(ledger, False, of=("phone", other))
    sync.step()
    assert stand_in.held[(other, "BIREYSEL", "MESAJ")]["status"] == "RET"


def test_what_a_recipient_refuses_at_iys_lands_in_the_ledger_and_is_not_told_back(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, clock: Clock, store: Store
) -> None:
    say(ledger, True)
    sync.step()
    clock.pass_time(days=1)
    stand_in.changed_by_recipient(PHONE[1], "MESAJ", "RET", moment(clock))
    for n in range(4):
        stand_in.changed_by_recipient(f"k{n}@example.com", "EPOSTA", "ONAY", moment(clock))
    assert sync.step().pulled == 5
    assert not ledger.may_send([PHONE], "marketing", "sms").allowed
    assert ledger.may_send([("email", "k3@example.com")], "marketing", "email").allowed
    entry = ledger.entries([PHONE])[-1]
    assert (entry.source, json.loads(entry.proof)["source"]) == ("iys", "IYS_WEB")
    asked = len(stand_in.asked)
    assert sync.step().pulled == 0
    assert len(stand_in.asked) == asked + 1
    clock.pass_time(seconds=1)
    say(ledger, True)
    sync.step()
    assert stand_in.held[SMS]["status"] == "ONAY"


def test_what_iys_took_before_we_died_counts_as_taken(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn, store: Store
) -> None:
    say(ledger, True)
    stand_in.deaf = True
    with pytest.raises(Unavailable):
        sync.step()
    assert states(store) == {"waiting": 1}
    stand_in.deaf = False
    sync.step()
    assert states(store) == {"accepted": 1}


def test_the_loop_goes_on_after_what_fails_and_ends_when_told(
    ledger: ConsentLedger, sync: IysSync, stand_in: StandIn
) -> None:
    stop = threading.Event()
    stand_in.failures = [(503, {})] * 5
    errors: list[TekilError] = []

    def note(error: TekilError) -> None:
        errors.append(error)
        stop.set()

    say(ledger, True)
    sync.run(stop, note)
    assert [error.code for error in errors] == ["iys_unavailable"]


def test_what_was_looked_through_is_not_looked_through_again(
    ledger: ConsentLedger, sync: IysSync, clock: Clock, store: Store
) -> None:
    say(ledger, True)
    sync.step()
    clock.pass_time(days=1)
    sync.step()
    assert int(store.iys.mark("collected")) == clock.now
    say(ledger, True, "call")
    assert sync.step().collected == 1
