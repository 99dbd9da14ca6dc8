"""A verification finds what was tampered with, wherever it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.verification import verify
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    made.say({"type": "identify", "userId": "u1", "traits": {"email": "a@b.co"}})
    made.say({"type": "track", "userId": "u2", "event": "A"}, {"type": "track"})
    made.run()
    assert verify(made.engine).holds
    yield made
    made.close()


def tamper(installation: Installation, table: str, select: str) -> None:
    warehouse = installation.warehouse
    warehouse.derive("tampered", select)
    with warehouse.transaction():
        warehouse.overwrite(table, "SELECT * FROM tampered")


@pytest.mark.parametrize(
    ("table", "select"),
    [
        ("activity", "SELECT * REPLACE (pages + 1 AS pages) FROM activity WHERE events > 0"),
        ("attributes", "SELECT * REPLACE ('{}' AS traits) FROM attributes"),
        ("identity", "SELECT * REPLACE (person_key + 1 AS person_key) FROM identity"),
        ("evidence", "SELECT * FROM evidence UNION ALL SELECT * FROM evidence"),
    ],
)
def test_a_row_that_does_not_follow_from_the_events_is_found(
    installation: Installation, table: str, select: str
) -> None:
    tamper(installation, table, select)
    outcome = verify(installation.engine)
    assert not outcome.holds
    assert table in {difference.table for difference in outcome.differences}
    installation.engine.rebuild()
    assert verify(installation.engine).holds


@pytest.mark.parametrize(
    ("table", "select", "told"),
    [
        ("ledger", "SELECT * REPLACE (loaded + 1 AS loaded) FROM ledger", "= 4"),
        ("quarantine", "SELECT * FROM quarantine WHERE FALSE", "the destroyed make 0"),
    ],
)
def test_a_ledger_that_does_not_balance_is_found(
    installation: Installation, table: str, select: str, told: str
) -> None:
    tamper(installation, table, select)
    outcome = verify(installation.engine)
    assert not outcome.holds
    assert told in " ".join(outcome.ledger)


def test_a_card_that_is_missing_or_nobodys_is_found(installation: Installation) -> None:
    cards = installation.store.cards
    card: Any = cards.find("user_id", "u1")
    cards.publish([card.person_id], [], None)
    assert {d.kind for d in verify(installation.engine).differences} == {"missing", "unexpected"}
    cards.publish([], [card], None)
    assert verify(installation.engine).holds
