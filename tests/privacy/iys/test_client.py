"""The client against a server that behaves, and that does not."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tekil.access.audit import SYSTEM
from tekil.errors import Unavailable
from tekil.outgoing import Connections
from tekil.outgoing.grants import ConnectionRefused
from tekil.privacy.iys.client import CONNECTION, Consent, IysClient, IysRefused, connection
from tests.privacy.conftest import Clock
from tests.privacy.iys.conftest import LOOPBACK, moment
from tests.privacy.iys.stand_in import StandIn


def consent(
    clock: Clock, status: str = "ONAY", hours: float = 1, recipient: str = "+905321234567"
) -> Consent:
    when = moment(clock) - timedelta(hours=hours)
    return Consent(recipient, "BIREYSEL", "MESAJ", status, "HS_WEB", when)


def test_a_consent_is_told_and_asked_for(client: IysClient, stand_in: StandIn, clock: Clock) -> None:
    assert client.status("+905321234567", "BIREYSEL", "MESAJ") is None
    transaction = client.push(consent(clock))
    assert stand_in.bodies[-1] == {
        "recipient": "+905321234567",
        "recipientType": "BIREYSEL",
        "type": "MESAJ",
        "status": "ONAY",
        "source": "HS_WEB",
        "consentDate": "2026-03-01 14:00:00",
    }
    held = client.status("+905321234567", "BIREYSEL", "MESAJ")
    assert held is not None
    assert (held.status, held.transaction) == ("ONAY", transaction)
    assert held.consent_at == moment(clock) - timedelta(hours=1)
    assert stand_in.asked.count("POST token") == 1


def test_a_refusal_comes_with_its_own_code_and_words(client: IysClient, clock: Clock) -> None:
    with pytest.raises(IysRefused, match="2015-05-01") as caught:
        client.push(consent(clock, hours=24 * 365 * 20))
    assert caught.value.code == "H155"


def test_many_are_handed_in_and_asked_about_until_they_are_done(
    client: IysClient, stand_in: StandIn, clock: Clock
) -> None:
    stand_in.slow_bulks = True
    request = client.push_many([consent(clock), consent(clock, "RET", recipient="+905320000000")])
    assert [o.status for o in client.outcomes(request)] == ["enqueue", "enqueue"]
    stand_in.slow_bulks = False
    assert [(o.place, o.status, o.code) for o in client.outcomes(request)] == [
        (0, "success", ""),
        (1, "failure", "T103"),
    ]


def test_a_token_is_renewed_before_its_end_and_when_it_was_forgotten(
    client: IysClient, stand_in: StandIn, clock: Clock
) -> None:
    client.changes()
    clock.pass_time(seconds=7200)
    client.changes()
    assert "refresh_token" in stand_in.bodies[-2]
    stand_in.tokens.clear()
    client.changes()
    assert stand_in.bodies[-2]["grant_type"] == "password"
    clock.pass_time(seconds=7200)
    stand_in.renewals.clear()
    client.changes()
    assert stand_in.bodies[-2]["grant_type"] == "password"


def test_a_wrong_password_is_said_and_a_right_one_helps(client: IysClient, connections: Connections) -> None:
    right = connection(str(client._http.base_url), "api", "gizli")
    connections.put(msgspec.structs.replace(right, password="yanlış"), SYSTEM)
    for _ in range(2):
        with pytest.raises(ConnectionRefused, match="şifre"):
            client.changes()
    connections.put(right, SYSTEM)
    client.changes()


def test_a_busy_server_is_given_the_time_it_asks_for(
    client: IysClient, stand_in: StandIn, slept: list[float]
) -> None:
    stand_in.failures = [(429, {"Retry-After": "7"}), (503, {}), (500, {})]
    client.changes()
    assert slept == [7, 2, 4]


def test_a_server_that_stays_away_is_told_of_and_not_waited_for_for_ever(
    client: IysClient, stand_in: StandIn, slept: list[float]
) -> None:
    stand_in.failures = [(503, {})] * 9
    with pytest.raises(Unavailable, match="503"):
        client.changes()
    assert len(slept) == 4


def test_a_server_that_is_not_there_is_unavailable(connections: Connections, slept: list[float]) -> None:
    connections.put(connection("http://127.0.0.1:9", "a", "b"), SYSTEM)
    nobody = IysClient("http://127.0.0.1:9", 1, 2, connections.of(CONNECTION), LOOPBACK, sleep=slept.append)
    with pytest.raises(Unavailable, match="iys gave no token"):
        nobody.changes()
    nobody.close()


def test_changes_are_read_from_a_cursor_on(client: IysClient, stand_in: StandIn, clock: Clock) -> None:
    for n in range(3):
        stand_in.changed_by_recipient(f"+90532123456{n}", "MESAJ", "ONAY", moment(clock))
    first = client.changes()
    second = client.changes(first.after)
    assert [c.recipient[-1] for c in [*first.changes, *second.changes]] == ["0", "1", "2"]
    assert client.changes(second.after).changes == []
