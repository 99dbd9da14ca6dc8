"""Links that were worked out: evidence like any other, weaker than all of it, and gone when taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.identity import identifier_key
from tekil.identity.sql import LINKS_SOURCE
from tekil.kinds import KINDS
from tekil.verification import verify
from tests.identity.graphs import Edge, who
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def shop(found: Found) -> Iterator[Installation]:
    made = found()
    made.say(
        {"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com"}},
        {"type": "identify", "anonymousId": "a2", "traits": {"phone": "05321234567"}},
        {"type": "page", "userId": "u3"},
    )
    made.run()
    yield made
    assert verify(made.engine).holds
    apply(made.store, KINDS, [], author="test", prune=True)
    made.close()


def accept(shop: Installation, bits: float) -> None:
    """Put a policy in force that links what weighs so many bits."""
    spec: dict[str, Any] = {"links": {"accept": bits, "review": 1}}
    written = Written(Definition("identity", "identity", spec=spec))
    apply(shop.store, KINDS, [written], author="test")
    shop.pass_time(minutes=1)
    shop.run()


def link(
    shop: Installation, one: str, other: str, bits: float, act: str = "link", source: str = LINKS_SOURCE
) -> None:
    left, right = sorted([one, other])
    fields = {"act": act, "weight": round(bits * 100)}
    shop.say(
        {
            "type": "record",
            "object": "identity_assertion",
            "key": {"left": left, "right": right},
            "fields": fields,
        },
        source=source,
    )
    shop.pass_time(minutes=1)
    shop.run()


def person(shop: Installation, reference: str) -> str:
    return shop.person(reference).person_id


def test_what_weighs_enough_joins_while_the_policy_says_so(shop: Installation) -> None:
    link(shop, "user_id:u1", "anonymous_id:a2", 12.5)
    assert person(shop, "user_id:u1") != person(shop, "anonymous_id:a2")
    accept(shop, 12)
    assert person(shop, "user_id:u1") == person(shop, "phone:+905321234567")
    accept(shop, 13)
    assert person(shop, "user_id:u1") != person(shop, "anonymous_id:a2")
    accept(shop, 12)
    link(shop, "user_id:u1", "anonymous_id:a2", 0, act="unlink")
    assert person(shop, "user_id:u1") != person(shop, "anonymous_id:a2")


def test_the_last_weight_counts_however_late_the_first_comes(shop: Installation) -> None:
    accept(shop, 10)
    link(shop, "user_id:u1", "anonymous_id:a2", 15)
    assert person(shop, "user_id:u1") == person(shop, "anonymous_id:a2")
    link(shop, "user_id:u1", "anonymous_id:a2", 6)
    assert person(shop, "user_id:u1") != person(shop, "anonymous_id:a2")


def test_nobody_else_can_say_that_two_were_found_to_be_alike(shop: Installation) -> None:
    accept(shop, 1)
    link(shop, "user_id:u1", "anonymous_id:a2", 50, source="web")
    assert person(shop, "user_id:u1") != person(shop, "anonymous_id:a2")
    assert shop.rows("SELECT 1 AS one FROM evidence WHERE how = 'linked'") == []


def test_a_link_never_makes_one_of_two_accounts(shop: Installation) -> None:
    accept(shop, 1)
    link(shop, "user_id:u1", "user_id:u3", 50)
    assert person(shop, "user_id:u1") != person(shop, "user_id:u3")
    keys = sorted(identifier_key("user_id", user) for user in ("u1", "u3"))
    assert shop.rows("SELECT left_key, right_key, kind FROM conflicts") == [
        {"left_key": keys[0], "right_key": keys[1], "kind": "user_id"}
    ]


def test_the_weakest_thing_that_was_said_goes_before_the_weightiest_link() -> None:
    said = Edge("email:a", "anonymous_id:1")
    alike = Edge("email:a", "user_id:2", messages=99, last_seen=99, weight=5_000)
    named = Edge("anonymous_id:1", "user_id:1")
    people, found = who("user_id:1 user_id:2 email:a anonymous_id:1", [alike, said, named])
    assert people == {frozenset({"user_id:1", "anonymous_id:1", "email:a"}), frozenset({"user_id:2"})}
    assert len(found.refused) == 1


def test_of_two_links_the_weightier_goes_first() -> None:
    light, heavy = Edge("email:a", "user_id:1", weight=900), Edge("email:a", "user_id:2", weight=901)
    people, _ = who("user_id:1 user_id:2 email:a", [light, heavy])
    assert people == {frozenset({"user_id:1"}), frozenset({"user_id:2", "email:a"})}


def test_being_like_many_makes_nobody_shared() -> None:
    edges = [Edge("email:a", f"user_id:{n}", weight=900 + n) for n in range(9)]
    _, found = who(" ".join(["email:a", *(f"user_id:{n}" for n in range(9))]), edges)
    assert not found.sharing.is_shared.any()
