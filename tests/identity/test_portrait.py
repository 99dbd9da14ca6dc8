"""A person as a picture: identifiers, ties, refused links, and how it all came about."""

from __future__ import annotations

import doctest
import threading
from collections.abc import Iterator

import pytest

from tekil.errors import NotFound
from tekil.identity import assertions, overview
from tests.identity.test_assertions import desk_of
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def shop(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def say(shop: Installation, act: str, one: str, other: str | None = None) -> None:
    desk = desk_of(shop)
    desk.say(desk.plan(act, one, other), by="zeynep", reason="aradı: 0532 111 22 33")
    shop.pass_time(minutes=1)
    shop.run()


def grow(shop: Installation) -> str:
    """Two visitors who turn out to be one, an address of theirs, and somebody else's account."""
    shop.say({"type": "page", "anonymousId": "a1"})
    shop.pass_time(hours=1)
    shop.say({"type": "page", "anonymousId": "a2"})
    shop.pass_time(hours=1)
    shop.say(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "ayse@example.com"}}
    )
    shop.pass_time(hours=1)
    shop.say({"type": "identify", "userId": "u1", "anonymousId": "a2"})
    shop.say({"type": "identify", "userId": "u1", "anonymousId": "a2"})
    shop.run()
    return shop.person("user_id:u1").person_id


def test_a_picture_has_every_identifier_masked_and_every_tie_by_its_weight(shop: Installation) -> None:
    told = desk_of(shop).portray(grow(shop))
    assert (told.total, len(told.nodes)) == (4, 4)
    assert {node.kind: node.value for node in told.nodes if node.kind == "email"} == {
        "email": "a•••@e•••.com"
    }
    ends = {
        frozenset((told.nodes[tie.left].kind, told.nodes[tie.right].kind)): tie.messages for tie in told.ties
    }
    assert ends[frozenset(("user_id", "email"))] == 1
    assert max(tie.messages for tie in told.ties) == told.ties[0].messages == 2
    with pytest.raises(NotFound):
        desk_of(shop).portray("p0000000000000001")
    with pytest.raises(NotFound):
        desk_of(shop).portray("ayse")


def test_the_timeline_tells_evidence_from_what_people_said(shop: Installation) -> None:
    person = grow(shop)
    assert [m.what for m in desk_of(shop).portray(person).moments] == ["begun", "joined", "joined", "merged"]
    merged = desk_of(shop).portray(person).moments[-1]
    assert merged.count == 4
    shop.say({"type": "identify", "userId": "u2", "anonymousId": "b1"})
    shop.run()
    say(shop, "merge", "user_id:u1", "user_id:u2")
    told = desk_of(shop).portray(shop.person("user_id:u1").person_id)
    assert told.total == 6
    last = told.moments[-1]
    assert (last.what, last.by, last.right and last.right.value) == ("merge", "zeynep", "u2")
    # What somebody typed as a reason is sealed on its way, and shown with a mask.
    assert last.reason.startswith("aradı: +90 •••")
    say(shop, "withdraw", "user_id:u1", "user_id:u2")
    # Of what was said of the two, the last word is what there is.
    told = desk_of(shop).portray(shop.person("user_id:u1").person_id)
    assert (told.total, [m.what for m in told.moments][-2:]) == (4, ["merged", "withdraw"])


def test_what_was_refused_is_drawn_on_both_sides_and_listed(shop: Installation) -> None:
    person = grow(shop)
    say(shop, "split", "user_id:u1", "email:ayse@example.com")
    desk = desk_of(shop)
    mine = desk.portray(shop.person("user_id:u1").person_id)
    theirs = desk.portray(mine.refused[0].other_person)
    assert person in (mine.person_id, theirs.person_id)
    assert [node.kind for node in theirs.nodes] == ["email"]
    refused = {(one.other.kind, one.other.value, one.kind) for one in mine.refused}
    assert refused == {("email", "a•••@e•••.com", "split")}
    assert {one.other_person for one in theirs.refused} == {mine.person_id}
    over = desk.look_over()
    assert over.conflicts == len(mine.refused) == len(theirs.refused)
    conflict = over.latest_conflicts[0]
    assert {conflict.left_person, conflict.right_person} == {mine.person_id, theirs.person_id}


def test_identity_at_large_counts_sizes_and_lists_what_is_shared(shop: Installation) -> None:
    grow(shop)
    for n in range(5):
        shop.say({"type": "identify", "userId": f"v{n}", "traits": {"phone": "02121234567"}})
    shop.run()
    say(shop, "share", "phone:02121234567")
    over = desk_of(shop).look_over()
    (shared,) = over.shared
    assert (shared.name.kind, shared.reason, shared.others) == ("phone", "declared", 5)
    assert over.shared_by_reason == {"declared": 1}
    assert over.identifiers == 4 + 5 + 1
    assert sum(size.persons for size in over.sizes) == over.persons
    # The reference of a list is good to take back what was declared.
    assert desk_of(shop).plan("withdraw", shared.reference).outcome == "withdraw"


def test_an_overview_that_takes_long_is_kept_until_somebody_says_something(
    shop: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(shop)
    desk = desk_of(shop)
    assert desk.look_over() is not desk.look_over()
    monkeypatch.setattr(assertions, "QUICK_SECONDS", -1.0)
    monkeypatch.setattr(assertions, "KEPT_TIMES", 10_000)
    first = desk.look_over()
    assert desk.look_over() is first
    desk.say(desk.plan("share", "user_id:u1"), by="zeynep")
    assert desk.look_over() is not first


def test_where_an_engine_runs_nobody_waits_for_an_overview_that_takes_long(
    shop: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(shop)
    desk = desk_of(shop)
    monkeypatch.setattr(assertions, "QUICK_SECONDS", -1.0)

    def counted() -> int:
        assert not desk.step()
        for thread in threading.enumerate():
            if thread.name == "overview":
                thread.join()
        return desk.look_over().identifiers

    had = counted()
    shop.say({"type": "page", "userId": "somebody new"})
    shop.run()
    # Old as it may be, it is shown at once; the next step counts anew.
    monkeypatch.setattr(assertions, "KEPT_TIMES", 0)
    assert desk.look_over().identifiers == had
    desk.say(desk.plan("share", "user_id:u1"), by="zeynep")
    assert counted() == had + 1
    shop.warehouse.close()
    assert counted() == had + 1


def test_nothing_at_all_is_an_overview_too(shop: Installation) -> None:
    over = desk_of(shop).look_over()
    assert (over.persons, over.conflicts, over.shared) == (0, 0, [])
    assert doctest.testmod(overview).failed == 0
