"""Memberships: since when, who came and went, why, and how many there were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tekil.access.audit import SYSTEM
from tekil.definitions import InvalidDefinitions, apply
from tekil.erasure import Eraser
from tekil.kinds import KINDS
from tekil.store import Store
from tekil.verification import verify
from tests.installation import NOON, Installation
from tests.models.test_audiences import define, members, models_of
from tests.models.test_features import order

WEEK = timedelta(days=7)


@pytest.fixture
def installation(store: Store, tmp_path: Path) -> Iterator[Installation]:
    store.cards.clear()
    apply(store, KINDS, [], author="test", prune=True)
    made = Installation(tmp_path, store=store, defined=models_of)
    yield made
    made.close()
    apply(store, KINDS, [], author="test", prune=True)


def journal(installation: Installation) -> list[tuple[Any, ...]]:
    """Return what the journal says, in its order: audience, entered, when after NOON, cause, version."""
    installation.run()
    rows = installation.rows("SELECT * FROM audience_changes ORDER BY noted_at, turned_at, audience, entered")
    return [
        (row["audience"], row["entered"], row["turned_at"] - NOON, row["cause"], row["version"])
        for row in rows
    ]


def since(installation: Installation, audience: str) -> dict[str, timedelta]:
    """Return since when (after NOON) whoever is in an audience is, by their identifiers."""
    installation.run()
    rows = installation.rows(
        "SELECT i.value, m.since FROM memberships m JOIN identity i ON i.person_key = m.person_key"
        f" WHERE m.audience = '{audience}'"
    )
    return {row["value"]: row["since"] - NOON for row in rows}


def sizes(installation: Installation, audience: str) -> list[tuple[int, int, int]]:
    """Return hour by hour how many are in, came and went."""
    rows = installation.rows(f"SELECT * FROM audience_sizes WHERE audience = '{audience}' ORDER BY hour")
    return [(row["people"], row["entered"], row["gone"]) for row in rows]


def test_the_journal_tells_who_came_by_an_event_and_went_by_time_to_the_microsecond(
    installation: Installation,
) -> None:
    define(installation, recent="orders_7d > 0")
    installation.run()
    installation.pass_time(minutes=5)
    installation.say(order("u1", 5))
    installation.run()
    installation.pass_time(days=7, seconds=30)
    five = timedelta(minutes=5)
    assert journal(installation) == [
        ("recent", True, five, "event", 1),
        ("recent", False, five + WEEK, "time", 1),
    ]
    assert sizes(installation, "recent") == [(1, 1, 0), (0, 0, 1)]
    assert verify(installation.engine).holds


def test_a_definition_that_changes_moves_people_and_keeps_the_time_of_those_who_stay(
    installation: Installation,
) -> None:
    define(installation, buyers="orders > 0")
    installation.say(order("u1", 5), order("u1", 5), order("u2", 5))
    installation.run()
    installation.pass_time(hours=2)
    define(installation, buyers="orders > 1")
    two = timedelta(hours=2)
    assert journal(installation)[2:] == [("buyers", False, two, "definition", 2)]
    assert since(installation, "buyers") == {"u1": timedelta()}
    define(installation)
    assert journal(installation)[3:] == [("buyers", False, two, "definition", 1)]
    assert sizes(installation, "buyers") == [(2, 2, 0), (0, 0, 2)]
    assert verify(installation.engine).holds


def test_an_anonymous_member_who_logs_in_is_in_as_long_as_before(installation: Installation) -> None:
    define(installation, viewers="events > 0")
    installation.say({"type": "page", "anonymousId": "a1"}, {"type": "page", "anonymousId": "a2"})
    installation.run()
    installation.pass_time(days=1)
    installation.say(*({"type": "identify", "userId": "u1", "anonymousId": name} for name in ("a1", "a2")))
    assert set(since(installation, "viewers").values()) == {timedelta()}
    gone = journal(installation)[2:]
    assert gone == [("viewers", False, timedelta(days=1), "identity", 1)]
    assert sizes(installation, "viewers") == [(2, 2, 0), (1, 0, 1)]
    assert verify(installation.engine).holds


def test_who_has_been_in_for_fourteen_days_is_known_at_that_instant(installation: Installation) -> None:
    define(
        installation,
        buyers="orders > 0",
        settled="since(buyers) <= now() - interval 14 day",
        fresh="buyers and days_since(since(buyers)) < 2",
    )
    installation.say(order("u1", 5))
    installation.run()
    installation.pass_time(days=2)
    assert members(installation, "fresh") == set()
    installation.pass_time(days=12, microseconds=-1)
    assert members(installation, "settled") == set()
    assert verify(installation.engine).holds
    installation.pass_time(microseconds=1)
    assert members(installation, "settled") == {"u1"}
    installation.engine.rebuild()
    assert members(installation, "settled") == {"u1"}
    assert verify(installation.engine).holds
    define(installation, buyers="orders > 5", settled="since(buyers) <= now() - interval 14 day")
    assert members(installation, "settled") == set()
    assert verify(installation.engine).holds


def test_a_rebuild_neither_writes_in_the_journal_nor_moves_anybodys_time(installation: Installation) -> None:
    define(installation, buyers="orders > 0", recent="orders_7d > 0")
    installation.say(order("u1", 5), order("u2", 5))
    installation.run()
    installation.pass_time(days=3)
    installation.run()
    before = journal(installation), since(installation, "buyers"), sizes(installation, "recent")[-1][0]
    installation.engine.rebuild()
    assert (
        journal(installation),
        since(installation, "buyers"),
        sizes(installation, "recent")[-1][0],
    ) == before


def test_of_somebody_erased_the_journal_says_nothing_and_the_size_is_one_less(
    installation: Installation,
) -> None:
    define(installation, buyers="orders > 0", recent="orders_7d > 0")
    installation.say(order("u1", 5), order("u2", 5))
    installation.run()
    installation.pass_time(hours=2)
    proof = Eraser(installation.engine).apply("user_id:u1", SYSTEM)
    assert proof.found == 0
    assert set(since(installation, "buyers")) == {"u2"}
    assert [row[:2] for row in journal(installation)] == [("buyers", True), ("recent", True)]
    assert sizes(installation, "buyers") == [(2, 2, 0), (1, 0, 1)]
    assert verify(installation.engine).holds


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("since(buyer) < now()", "line 1, column 7: There is no audience 'buyer' here. Did you mean buyers?"),
        ("since(orders) < now()", "There is no audience 'orders' here"),
        ("since(1) < now()", "since takes the name of an audience"),
        ("since(late) < now()", "name each other in a circle"),
    ],
)
def test_since_is_asked_of_audiences_only(installation: Installation, sql: str, told: str) -> None:
    with pytest.raises(InvalidDefinitions) as caught:
        define(installation, buyers="orders > 0", late=sql)
    assert told in str(caught.value)
