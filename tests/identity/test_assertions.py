"""Saying who is who: a plan first, then through the log; taken back, everything is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.errors import BadRequest, NotFound
from tekil.identity import IdentityDesk
from tekil.verification import verify
from tests.installation import Installation
from tests.laws.conftest import Found


@pytest.fixture
def shop(found: Found) -> Iterator[Installation]:
    made = found()
    made.say(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "ayse@example.com"}},
        {"type": "page", "anonymousId": "a1"},
    )
    made.say({"type": "identify", "userId": "u2", "anonymousId": "a2", "traits": {"phone": "05321234567"}})
    made.run()
    yield made
    made.close()


def desk_of(shop: Installation) -> IdentityDesk:
    return IdentityDesk(shop.log, shop.warehouse, shop.store, shop.vault)


def say(shop: Installation, act: str, one: str, other: str | None = None) -> None:
    desk = desk_of(shop)
    desk.say(desk.plan(act, one, other), by="a colleague", reason="they called")
    shop.pass_time(minutes=1)
    shop.run()
    assert verify(shop.engine).holds


def known(shop: Installation) -> dict[str, Any]:
    """All that is known but the evidence, which is never taken away."""
    tables = shop.knowledge()
    return {name: rows for name, rows in tables.items() if name not in ("evidence", "identity")} | {
        "identity": shop.sorted_rows("SELECT identifier_key, cluster_key, person_key FROM identity"),
        "cards": shop.cards(),
    }


def test_un_merge_undoes_merge_down_to_profiles(shop: Installation) -> None:
    before = known(shop)
    apart = [shop.person(reference).person_id for reference in ("user_id:u1", "user_id:u2")]
    say(shop, "merge", "email:ayse@example.com", "user_id:u2")
    whole = shop.person("user_id:u1")
    assert whole.as_dict()["events"] == 3
    assert {shop.person(f"user_id:u{n}").person_id for n in (1, 2)} == {whole.person_id}
    # The id that is no more leads to the person it is part of.
    (gone,) = set(apart) - {whole.person_id}
    assert shop.store.cards.redirect(gone) == whole.person_id
    say(shop, "withdraw", "email:ayse@example.com", "user_id:u2")
    assert known(shop) == before


def test_redirects_are_right_through_chains_of_merges_and_splits(shop: Installation) -> None:
    shop.say({"type": "page", "userId": "u3"})
    shop.run()
    oldest = [shop.person(f"user_id:u{n}").person_id for n in (1, 2, 3)]
    say(shop, "merge", "user_id:u1", "user_id:u2")
    say(shop, "merge", "user_id:u2", "user_id:u3")
    now = shop.person("user_id:u3").person_id
    assert {shop.store.cards.redirect(p) for p in oldest} == {now}
    say(shop, "split", "user_id:u1", "user_id:u2")
    assert shop.person("user_id:u2").person_id == shop.person("user_id:u3").person_id
    assert shop.person("user_id:u1").person_id != shop.person("user_id:u2").person_id
    assert shop.store.cards.redirect(oldest[0]) == shop.person("user_id:u1").person_id


def test_a_split_cuts_what_evidence_joins_and_is_told(shop: Installation) -> None:
    say(shop, "split", "user_id:u1", "anonymous_id:a1")
    assert shop.person("user_id:u1").person_id != shop.person("anonymous_id:a1").person_id
    told = desk_of(shop).explain("user_id:u1")
    assert [refused.kind for refused in told.refused] == ["split"]


def test_a_merge_survives_a_rebuild_and_a_replay_of_the_log(shop: Installation, found: Found) -> None:
    say(shop, "merge", "user_id:u1", "user_id:u2")
    before = shop.knowledge()
    shop.engine.rebuild()
    assert shop.knowledge() == before


def test_the_plan_says_whom_it_concerns_and_changes_nothing(shop: Installation) -> None:
    before = shop.knowledge()
    plan = desk_of(shop).plan("merge", "user_id:u1", "phone:+905321234567")
    assert [(party.identifiers, party.events) for party in plan.people] == [(3, 2), (2 + 1, 1)]
    assert plan.effect == "Two people become one."
    assert "+905321234567" not in repr(plan)
    assert desk_of(shop).masked(plan).right.startswith("phone:")
    assert shop.run() == 0
    assert shop.knowledge() == before


def test_what_makes_no_sense_is_refused(shop: Installation) -> None:
    desk = desk_of(shop)
    with pytest.raises(NotFound):
        desk.plan("merge", "user_id:u1", "user_id:nobody")
    with pytest.raises(BadRequest):
        desk.plan("merge", "user_id:u1", "user_id:u1")
    with pytest.raises(BadRequest):
        desk.plan("adopt", "user_id:u1", "user_id:u2")
    with pytest.raises(NotFound):
        desk.explain("email:no address")


def test_a_shared_identifier_joins_nobody_and_may_be_given_back(shop: Installation) -> None:
    shop.say({"type": "identify", "anonymousId": "a9", "traits": {"email": "ayse@example.com"}})
    shop.run()
    assert shop.person("anonymous_id:a9").person_id == shop.person("user_id:u1").person_id
    say(shop, "share", "email:ayse@example.com")
    assert shop.person("anonymous_id:a9").person_id != shop.person("user_id:u1").person_id
    assert desk_of(shop).explain("email:ayse@example.com").shared == "declared"
    shop.say({"type": "identify", "anonymousId": "a8", "traits": {"email": "ayse@example.com"}})
    shop.run()
    assert desk_of(shop).explain("email:ayse@example.com").shared == "declared"
    say(shop, "withdraw", "email:ayse@example.com", "email:ayse@example.com")
    assert shop.person("anonymous_id:a9").person_id == shop.person("user_id:u1").person_id


def test_a_chain_of_evidence_is_told_link_by_link(shop: Installation) -> None:
    shop.say({"type": "page", "anonymousId": "a3", "userId": "u1"})
    shop.run()
    told = desk_of(shop).explain("anonymous_id:a3", "email:ayse@example.com")
    steps = [(link.left.kind, link.right.kind, link.messages) for link in told.chain]
    assert [set(step[:2]) for step in steps] == [{"anonymous_id", "user_id"}, {"user_id", "email"}]
    assert told.chain[1].sources == ["web"]
    assert "ayse@example.com" not in repr(told)
    assert told.person_id == told.other_person_id
