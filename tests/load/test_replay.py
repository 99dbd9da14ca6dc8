"""The quarantine's way back: mended, said again, loaded once, and the ledger balances at every step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tekil.errors import BadRequest
from tekil.load import Chosen, replay
from tekil.verification import check_ledger
from tests.dictionary.defining import define, undefine
from tests.installation import NOON, Installation
from tests.laws.conftest import LAW_EXAMPLES, Found

STRICT = {"Order Completed": {"fields": {"properties.total": {"type": "number", "mode": "quarantine"}}}}
LAX: dict[str, Any] = {"Order Completed": {}}


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    define(made.store, STRICT)
    yield made
    undefine(made.store)
    made.close()


def order(total: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "properties": {"total": total},
        **more,
    }


def again(installation: Installation, mended: str | None = None, **chosen: Any) -> int:
    said = replay(
        installation.log,
        installation.warehouse,
        installation.vault,
        Chosen(**chosen),
        now=installation.now,
        mended=mended,
    )
    assert check_ledger(installation.engine) == []
    installation.run()
    assert check_ledger(installation.engine) == []
    return said


def ledger(installation: Installation) -> tuple[int, int, int]:
    (row,) = installation.rows(
        "SELECT sum(loaded) AS l, sum(quarantined) AS q, sum(duplicate) AS d FROM ledger"
    )
    return int(row["l"] or 0), int(row["q"] or 0), int(row["d"] or 0)


def test_after_the_dictionary_was_mended_a_replay_loads_what_waited_once(installation: Installation) -> None:
    installation.say(order(5), order("5", messageId="m1"), order("x"), {"type": "track", "userId": "u1"})
    installation.run()
    assert ledger(installation) == (1, 3, 0)
    assert again(installation) == 3
    # Nothing was mended: all came back, each said twice.
    assert ledger(installation) == (1, 3, 3)
    define(installation.store, LAX)
    assert again(installation, reason="order_completed.total:not_a_number") == 2
    assert ledger(installation) == (3, 1, 5)
    assert again(installation, event="Order Completed") == 0
    assert [row["reasons"] for row in installation.rows("SELECT reasons FROM quarantine")] == [
        "event_missing"
    ]


def test_two_replays_at_once_load_a_message_once(installation: Installation) -> None:
    installation.say(order("5"), order("6", messageId="m1"))
    installation.run()
    define(installation.store, LAX)
    for _ in range(2):
        replay(installation.log, installation.warehouse, installation.vault, Chosen(), now=installation.now)
    installation.run()
    assert check_ledger(installation.engine) == []
    assert ledger(installation) == (2, 0, 4)


def test_a_mended_message_takes_the_place_of_what_was_sent(installation: Installation) -> None:
    installation.say(order("5"), order("6"))
    installation.run()
    mended, position = json.dumps(order(5)), installation.log.head()
    assert again(installation, mended, position=position, number=0) == 1
    assert ledger(installation) == (1, 1, 1)
    for nonsense in ("[1]", "{", json.dumps(order("x" * 33_000))):
        with pytest.raises(BadRequest):
            again(installation, nonsense, position=position, number=1)
    assert ledger(installation) == (1, 1, 1)


@pytest.mark.parametrize(
    ("message", "sent_at", "hours_before"),
    [
        (order("5"), None, 0),
        (order("5", timestamp="2026-03-01T10:00:00Z"), None, 2),
        (order("5", timestamp="2026-03-01T10:00:00Z"), "2026-03-01T11:00:00Z", 1),
        (order("5", timestamp="2026-03-01T10:00:00Z", sentAt="2026-03-01T14:00:00+03:00"), None, 1),
        ({**order("5"), "type": "nonsense"}, None, 0),
    ],
)
def test_what_is_replayed_happened_when_it_happened_and_was_known_when_it_loaded(
    installation: Installation, message: dict[str, Any], sent_at: str | None, hours_before: float
) -> None:
    installation.say(message, sent_at=sent_at)
    installation.run()
    assert ledger(installation) == (0, 1, 0)
    installation.pass_time(days=3)
    if message["type"] == "nonsense":
        assert again(installation, json.dumps({**order(5)}), position=installation.log.head(), number=0) == 1
    define(installation.store, LAX)
    again(installation)
    (row,) = installation.rows("SELECT occurred_at, known_at FROM events")
    assert (NOON - row["occurred_at"]).total_seconds() == hours_before * 3600
    assert row["known_at"] == installation.now


def test_what_is_no_message_waits_until_somebody_mends_it(installation: Installation) -> None:
    installation.say("no object", b'{"broken')
    installation.run()
    installation.say("no object")
    installation.run()
    (whole,) = installation.rows("SELECT messages FROM quarantine WHERE reasons = 'unreadable'")
    assert whole["messages"] == 2
    assert again(installation) == 0
    assert again(installation, json.dumps(order(1)), reason="not_an_object") == 1
    assert ledger(installation) == (1, 2, 1)


actions = st.lists(
    st.sampled_from(["good", "bad", "worse", "twice", "run", "replay", "strict", "lax", "mend"]), max_size=14
)


@settings(max_examples=LAW_EXAMPLES)
@given(actions)
def test_law_8_the_ledger_balances_whatever_is_replayed_and_when(found: Found, doing: list[str]) -> None:
    installation = found()
    define(installation.store, STRICT)
    for number, action in enumerate(doing):
        if action in ("good", "bad"):
            installation.say(order(number if action == "good" else "x", messageId=f"m{number}"))
        elif action == "worse":
            installation.say({"type": "track"}, "text", order("x"), order(1))
        elif action == "twice":
            installation.say(order("x", messageId="m"), order(1, messageId="m"), source="app")
        elif action == "run":
            installation.run()
        elif action in ("strict", "lax"):
            define(installation.store, STRICT if action == "strict" else LAX)
        else:
            mended = json.dumps(order(1)) if action == "mend" else None
            now = installation.now
            replay(
                installation.log,
                installation.warehouse,
                installation.vault,
                Chosen(limit=2),
                now=now,
                mended=mended,
            )
        assert check_ledger(installation.engine) == []
    installation.run()
    assert check_ledger(installation.engine) == []
    define(installation.store, LAX)
    again(installation, mended=json.dumps(order(1)))
    assert ledger(installation)[1] == 0
    ids = installation.rows("SELECT source, message_id FROM events GROUP BY ALL HAVING count(*) > 1")
    assert ids == []
    undefine(installation.store)
    installation.close()
