"""Stories of who is who, from messages to persons, by refreshes that equal rebuilds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.kinds import KINDS
from tekil.verification import verify
from tests.installation import NOON, Installation
from tests.laws.conftest import Found


@pytest.fixture
def shop(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    assert verify(made.engine).holds
    made.close()


def person(shop: Installation, reference: str) -> str:
    return shop.person(reference).person_id


def at(hours: float) -> str:
    return (NOON - timedelta(days=3) + timedelta(hours=hours)).isoformat() + "Z"


def test_a_familys_tablet_is_each_ones_in_turns(shop: Installation) -> None:
    page: dict[str, Any] = {"type": "page", "anonymousId": "tablet"}
    shop.say(page | {"timestamp": at(0)}, page | {"timestamp": at(1), "userId": "ayse"})
    shop.run()
    # Alone with it, all of its history is hers.
    assert shop.person("user_id:ayse").as_dict()["events"] == 2
    shop.say(page | {"timestamp": at(5)}, page | {"timestamp": at(9), "userId": "mehmet"})
    shop.run()
    assert person(shop, "user_id:ayse") != person(shop, "user_id:mehmet")
    # What nobody signed for goes to the next who signs in; the first view stays with her.
    assert shop.person("user_id:ayse").as_dict()["events"] == 2
    assert shop.person("user_id:mehmet").as_dict()["events"] == 2
    assert person(shop, "anonymous_id:tablet") == person(shop, "user_id:mehmet")
    shop.say(page | {"timestamp": at(4), "userId": "ayse", "messageId": "late"}, page | {"timestamp": at(20)})
    shop.run()
    assert shop.person("user_id:ayse").as_dict()["events"] == 3
    assert shop.person("user_id:mehmet").as_dict()["events"] == 3
    timeline = shop.reads.timeline(person(shop, "user_id:ayse"))
    assert len(timeline.events) == 3


def test_turns_follow_their_people_when_these_are_merged(shop: Installation) -> None:
    for user, hour in (("ayse", 1), ("mehmet", 9)):
        shop.say({"type": "page", "anonymousId": "tablet", "userId": user, "timestamp": at(hour)})
    shop.say({"type": "page", "anonymousId": "tablet", "timestamp": at(12)})
    shop.run()
    shop.say({"type": "page", "userId": "old"}, {"type": "alias", "userId": "mehmet", "previousId": "old"})
    shop.run()
    assert (
        person(shop, "user_id:old") == person(shop, "user_id:mehmet") == person(shop, "anonymous_id:tablet")
    )
    assert shop.person("user_id:old").as_dict()["events"] == 4


def test_a_kiosk_of_many_is_nobodys(shop: Installation) -> None:
    for number in range(30):
        shop.say({"type": "page", "anonymousId": "kiosk", "userId": f"u{number}"})
    shop.say({"type": "page", "anonymousId": "kiosk"})
    shop.run()
    assert shop.rows("SELECT reason FROM shared") == [{"reason": "over_limit"}]
    assert shop.rows("SELECT count(*) AS n FROM ownership") == [{"n": 0}]
    assert shop.person("anonymous_id:kiosk").as_dict()["events"] == 1


def test_a_mailbox_that_crosses_its_limit_lets_go_of_everybody(shop: Installation) -> None:
    for number in range(5):
        traits = {"email": "info@example.com"}
        shop.say({"type": "identify", "anonymousId": f"a{number}", "userId": f"u{number}", "traits": traits})
        shop.say({"type": "identify", "anonymousId": f"b{number}", "traits": traits})
        shop.run()
        assert verify(shop.engine).differences == []
    assert len({person(shop, f"anonymous_id:b{n}") for n in range(5)}) == 5
    shop.say({"type": "identify", "anonymousId": "b9", "traits": {"email": "info@example.com"}})
    # Nobody is reached through it: whoever comes next is refreshed alone.
    cycle = shop.engine.step()
    assert cycle is not None
    assert cycle.persons == 2


def test_merges_that_race_in_one_batch_and_one_by_one_end_alike(found: Found) -> None:
    said = [
        {
            "type": "alias",
            "userId": f"u{n}",
            "previousId": f"u{n + 1}",
            "messageId": f"m{n}",
            "timestamp": at(n),
        }
        for n in range(4)
    ]
    said.append({"type": "page", "userId": "u4", "anonymousId": "a", "messageId": "p"})
    outcomes = []
    for parts in ([said], [[one] for one in said], [said[::-1]]):
        installation = found()
        for part in parts:
            installation.say(*part, at=NOON)
            installation.run()
        outcomes.append(installation.knowledge())
        assert len(set(installation.sorted_rows("SELECT person_key FROM identity"))) == 1
        installation.close()
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_a_new_policy_is_in_force_within_a_cycle(shop: Installation) -> None:
    email = {"email": "aile@example.com"}
    for user in ("u1", "u2"):
        shop.say({"type": "identify", "userId": user, "traits": email})
    shop.run()
    assert person(shop, "user_id:u1") != person(shop, "user_id:u2")
    family = {"kinds": {"user_id": {"strength": "personal", "max_per_person": 4}}}
    apply(shop.store, KINDS, [Written(Definition("identity", "identity", spec=family))], author="test")
    try:
        shop.run()
        assert person(shop, "user_id:u1") == person(shop, "user_id:u2")
        assert verify(shop.engine).holds
    finally:
        apply(shop.store, KINDS, [], author="test", prune=True)
    shop.run()
    assert person(shop, "user_id:u1") != person(shop, "user_id:u2")


def test_times_far_away_are_no_harm(shop: Installation) -> None:
    for stamp in ("1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "1950-01-01T00:00:00Z"):
        for user in ("u1", "u2"):
            shop.say({"type": "page", "anonymousId": "t", "userId": user, "timestamp": stamp})
            shop.run()
    assert shop.rows("SELECT count(*) AS n FROM quarantine") == [{"n": 2}]
    assert shop.rows("SELECT count(*) AS n FROM person_events") == [{"n": 4}]
