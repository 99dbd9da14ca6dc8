"""The request desk: a clock from the first day, nothing for strangers, answers that do what they say."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.errors import BadRequest, NotFound
from tekil.privacy import desk as desk_module
from tekil.privacy.consents import state
from tekil.privacy.desk import Desk, due, urgency
from tekil.privacy.ledger import ConsentLedger
from tekil.store import Store
from tests.privacy.conftest import Clock

EMAIL = ("email", "ayse@example.com")
ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture
def desk(ledger: ConsentLedger, clock: Clock) -> Desk:
    return Desk(ledger, "Europe/Istanbul", clock)


def open_request(desk: Desk, kind: str = "access") -> str:
    return desk.create(kind, EMAIL, channel="email", created_by="ayla").id


def test_the_last_day_is_the_sooner_of_thirty_days_and_a_month() -> None:
    assert doctest.testmod(desk_module).failed == 0
    for received, last in [
        ("2026-03-01", "2026-03-31"),
        ("2026-02-10", "2026-03-10"),
        ("2026-12-15", "2027-01-14"),
    ]:
        noon = datetime.fromisoformat(received).replace(hour=12, tzinfo=ISTANBUL)
        assert (due(noon, ISTANBUL).astimezone(ISTANBUL) - timedelta(seconds=1)).date().isoformat() == last


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)))
def test_there_are_always_four_weeks_and_never_more_than_thirty_one_days(received: datetime) -> None:
    span = due(received.replace(tzinfo=UTC), ISTANBUL) - received.replace(tzinfo=UTC)
    assert timedelta(days=28) < span <= timedelta(days=31)


def test_a_request_grows_urgent_and_then_overdue(desk: Desk, clock: Clock) -> None:
    request = desk.requests.get(open_request(desk))
    assert urgency(request, clock.now) == "calm"
    assert urgency(request, clock.now + 24 * 86_400 * 1_000_000) == "urgent"
    assert urgency(request, request.due_at) == "overdue"
    assert desk.requests.count_due(request.due_at) == 0
    assert desk.requests.count_due(request.due_at + 1) == 1


def test_nothing_is_granted_before_the_identity_is_verified(desk: Desk) -> None:
    request_id = open_request(desk)
    for identity in ("unchecked", "failed"):
        desk.set_identity(request_id, identity)
        with pytest.raises(BadRequest) as caught:
            desk.close(request_id, "granted", "", "ayla")
        assert caught.value.code == "identity_unchecked"
    closed = desk.close(request_id, "refused", "kimlik doğrulanamadı", "ayla")
    assert (closed.status, closed.decision, closed.closed_by) == ("closed", "refused", "ayla")
    with pytest.raises(NotFound):
        desk.close(request_id, "refused", "again", "ayla")
    with pytest.raises(NotFound):
        desk.set_identity(request_id, "verified")


def test_a_refusal_gives_its_reason(desk: Desk) -> None:
    request_id = open_request(desk)
    with pytest.raises(BadRequest, match="reason"):
        desk.close(request_id, "refused", " ", "ayla")
    assert desk.requests.get(request_id).status == "open"


def test_a_granted_objection_ends_profiling_and_nothing_else(desk: Desk, ledger: ConsentLedger) -> None:
    for purpose, channel in (("profiling", "web"), ("marketing", "email")):
        ledger.record(*EMAIL, purpose, channel, True, source="web", recorded_by="x")
    ledger._clock.pass_time(seconds=1)  # type: ignore[attr-defined]
    request_id = open_request(desk, "objection")
    desk.set_identity(request_id, "verified")
    desk.close(request_id, "granted", "", "ayla")
    valid = state(ledger.entries([EMAIL]))
    assert {choice: entry.given for choice, entry in valid.items()} == {
        ("profiling", "web"): False,
        ("marketing", "email"): True,
    }
    entry = valid["profiling", "web"]
    assert (entry.source, entry.recorded_by) == ("request desk", "ayla")
    assert request_id in entry.proof


def test_a_granted_withdrawal_ends_every_consent_of_the_address(desk: Desk, ledger: ConsentLedger) -> None:
    for purpose, channel in (("analytics", "web"), ("marketing", "email")):
        ledger.record(*EMAIL, purpose, channel, True, source="web", recorded_by="x")
    ledger._clock.pass_time(seconds=1)  # type: ignore[attr-defined]
    request_id = open_request(desk, "withdrawal")
    desk.set_identity(request_id, "verified")
    desk.close(request_id, "granted", "", "ayla")
    assert not any(entry.given for entry in state(ledger.entries([EMAIL])).values())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "wishes"}, "request_kind_unknown"),
        ({"channel": "pigeon"}, "request_channel_unknown"),
        ({"identifier": ("email", "nobody")}, "identifier_invalid"),
        ({"received_at": 4_000_000_000_000_000}, "request_in_future"),
    ],
)
def test_what_does_not_exist_cannot_be_taken_in(
    desk: Desk, store: Store, change: dict[str, object], code: str
) -> None:
    asked: dict[str, object] = {"kind": "access", "identifier": EMAIL, "channel": "email", "created_by": "x"}
    with pytest.raises(BadRequest) as caught:
        desk.create(**{**asked, **change})  # type: ignore[arg-type]
    assert caught.value.code == code
    assert store.requests.of_status("open") == []
