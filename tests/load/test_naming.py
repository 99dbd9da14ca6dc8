"""What else names a person: external ids, devices, traits and records; and what is no identifier, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.kinds import KINDS
from tests.installation import Installation
from tests.laws.conftest import Found

RECORDS = {"customer": {"key.no": "crm_id", "fields.email": "email"}}


@pytest.fixture
def shop(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


def persons(shop: Installation) -> int:
    return int(shop.rows("SELECT count(DISTINCT person_key) AS n FROM identity")[0]["n"])


def external(*ids: dict[str, Any], **message: Any) -> dict[str, Any]:
    return {"type": "page", **message, "context": {"externalIds": list(ids)}}


def refused(shop: Installation) -> list[tuple[str, str, int]]:
    rows = shop.rows("SELECT kind, reason, messages FROM refused_identifiers ORDER BY kind, reason")
    return [(row["kind"], row["reason"], row["messages"]) for row in rows]


def test_external_ids_and_devices_name_their_person(shop: Installation) -> None:
    card = {"id": "K-7", "type": "loyalty_card", "collection": "users", "encoding": "none"}
    shop.say(external(card, userId="u1"), external(card, {"id": "Z", "type": "idle"}, anonymousId="a1"))
    shop.say(
        {"type": "page", "anonymousId": "a2", "context": {"device": {"id": "D1", "advertisingId": "AD-1"}}}
    )
    shop.say({"type": "page", "anonymousId": "a3", "context": {"device": {"advertisingId": "ad-1"}}})
    shop.run()
    assert persons(shop) == 2
    assert shop.person("loyalty_card:K-7").person_id == shop.person("anonymous_id:a1").person_id
    assert shop.person("device_id:D1").person_id == shop.person("anonymous_id:a3").person_id


def test_an_account_s_ids_are_no_person_s(shop: Installation) -> None:
    company = {"id": "C1", "type": "crm_id", "collection": "accounts"}
    shop.say(external(company, userId="u1"), external(company, userId="u2"))
    shop.run()
    assert persons(shop) == 2


def test_personal_values_are_normal_and_sealed(shop: Installation) -> None:
    ids = [{"id": "0532 123 45 67", "type": "phone"}, {"id": "10000000146", "type": "tckn"}]
    shop.say(external(*ids, anonymousId="a1"))
    shop.say(
        {"type": "identify", "userId": "u1", "traits": {"tckn": "100 000 001 46", "phone": "+905321234567"}}
    )
    shop.run()
    assert persons(shop) == 1
    kept = repr(shop.rows("SELECT identifiers FROM events") + shop.rows("SELECT value FROM identity"))
    assert "10000000146" not in kept
    assert "5321234567" not in kept
    assert shop.person("tckn:10000000146").person_id == shop.person("user_id:u1").person_id


def test_what_is_no_identifier_is_counted_with_its_reason(shop: Installation) -> None:
    shop.say({"type": "identify", "userId": "u1", "traits": {"tckn": "10000000147"}, "messageId": "m1"})
    shop.say({"type": "identify", "userId": "u1", "traits": {"tckn": "10000000147"}, "messageId": "m1"})
    ids = [{"id": "null", "type": "crm_id"}, {"id": "x", "type": "!"}, {"id": "x" * 10_000, "type": "crm_id"}]
    shop.say(external(*ids, userId="u1"))
    shop.say(external(*({"id": str(n + 1), "type": f"k{n}"} for n in range(500)), userId="u1"))
    shop.run()
    assert refused(shop) == [
        ("", "kind_invalid", 1),
        ("", "too_many", 1),
        ("crm_id", "blocked", 1),
        ("crm_id", "invalid", 1),
        ("tckn", "invalid", 1),
    ]
    assert persons(shop) == 1
    assert shop.rows("SELECT count(*) AS n FROM events") == [{"n": 3}]


def test_null_ish_ids_join_nobody(shop: Installation) -> None:
    for user in ("null", "undefined", "0"):
        for browser in ("a1", "a2"):
            shop.say({"type": "page", "userId": user, "anonymousId": browser})
    shop.run()
    assert shop.person("anonymous_id:a1").as_dict()["events"] == 3
    assert shop.person("anonymous_id:a1").person_id != shop.person("anonymous_id:a2").person_id
    assert shop.rows("SELECT DISTINCT reason FROM shared") == [{"reason": "blocked"}]


def test_records_name_people_where_the_policy_says_so(shop: Installation) -> None:
    definition = Definition("identity", "identity", spec={"records": RECORDS})
    apply(shop.store, KINDS, [Written(definition)], author="test")
    try:
        shop.say({"type": "identify", "userId": "u1", "traits": {"email": "ayse@example.com"}})
        shop.say(
            {
                "type": "record",
                "object": "customer",
                "key": {"no": "C-1"},
                "fields": {"email": "AYSE@example.com"},
            }
        )
        shop.run()
        assert shop.person("crm_id:C-1").person_id == shop.person("user_id:u1").person_id
    finally:
        apply(shop.store, KINDS, [], author="test", prune=True)


def test_a_source_asserts_what_the_policy_lets_it(shop: Installation) -> None:
    definition = Definition("identity", "identity", spec={"sources": {"web": ["user_id", "anonymous_id"]}})
    apply(shop.store, KINDS, [Written(definition)], author="test")
    try:
        for user in ({"userId": "u1"}, {"anonymousId": "a1"}):
            for source, email in (("web", "x@example.com"), ("crm", "y@example.com")):
                shop.say({"type": "identify", **user, "traits": {"email": email}}, source=source)
        shop.run()
        assert shop.person("user_id:u1").person_id == shop.person("email:y@example.com").person_id
        rows = shop.rows("SELECT count(DISTINCT person_key) AS n FROM identity WHERE kind = 'email'")
        assert rows == [{"n": 2}]
    finally:
        apply(shop.store, KINDS, [], author="test", prune=True)
