"""Cards: published whole, found by any identifier, followed through merges."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tekil.store import Card, Identifier, Store


def card(person: str, *owned: str, last_seen: int = 1, **body: object) -> Card:
    """A card whose identifiers are written `kind:value`; an identifier's id is its value's."""
    identifiers = tuple(
        Identifier(kind, value, f"id-{value}"[:32])
        for kind, value in sorted(one.split(":", 1) for one in owned)
    )
    return Card(person, msgspec.json.encode(body).decode(), last_seen, identifiers)


def test_a_card_is_found_by_each_of_its_identifiers(store: Store) -> None:
    ayse = card("p-1", "email:ayse@minder.example", "phone:+905551112233", name="Ayşe")
    store.cards.publish([], [ayse], cycle=1)
    assert store.cards.get("p-1") == ayse
    assert store.cards.find("email", "ayse@minder.example") == ayse
    assert store.cards.find("phone", "+905551112233") == ayse
    assert ayse.as_dict() == {"name": "Ayşe"}
    assert store.cards.find("email", "AYSE@minder.example") is None
    assert store.cards.find("user_id", "ayse@minder.example") is None
    assert store.cards.get("p-2") is None


def test_publishing_again_replaces_the_card_and_its_identifiers(store: Store) -> None:
    store.cards.publish([], [card("p-1", "email:old@x", city="Bursa")], cycle=1)
    new = card("p-1", "email:new@x", city="İzmir")
    for _ in range(2):
        store.cards.publish([], [new], cycle=2)
        assert store.cards.get("p-1") == new
        assert store.cards.find("email", "old@x") is None
        assert (store.cards.count(), store.cards.published_cycle()) == (1, 2)


def test_a_merged_away_person_leads_to_who_they_became(store: Store) -> None:
    store.cards.publish([], [card("id-a", "anonymous_id:a"), card("id-b", "email:b")], cycle=1)
    assert store.cards.redirect("id-b") == "id-b"
    store.cards.publish(["id-b"], [card("id-a", "anonymous_id:a", "email:b")], cycle=2)
    assert store.cards.get("id-b") is None
    assert store.cards.redirect("id-b") == "id-a"
    assert store.cards.redirect("id-c") is None
    found = store.cards.find("email", "b")
    assert found is not None
    assert found.person_id == "id-a"


def test_an_identifier_may_move_from_one_person_to_another(store: Store) -> None:
    store.cards.publish([], [card("p-1", "device_id:tablet", "email:a"), card("p-2", "email:b")], cycle=1)
    store.cards.publish([], [card("p-1", "email:a"), card("p-2", "email:b", "device_id:tablet")], cycle=2)
    found = store.cards.find("device_id", "tablet")
    assert found is not None
    assert found.person_id == "p-2"


def test_in_whatever_parts_people_are_published_an_identifier_has_one_owner(store: Store) -> None:
    store.cards.publish([], [card("p-1", "email:a"), card("p-2", "email:b", "phone:1")], cycle=1)
    store.cards.publish(["p-1"], [card("p-1", "email:a", "phone:1", "email:b")], cycle=None)
    store.cards.publish(["p-2"], [], cycle=2)
    for kind, value in (("phone", "1"), ("email", "b"), ("email", "a")):
        found = store.cards.find(kind, value)
        assert found == card("p-1", "email:a", "email:b", "phone:1"), kind
    assert store.cards.count() == 1


def test_many_cards_go_in_at_once_and_come_out_by_id(store: Store) -> None:
    many = [card(f"p-{number:05}", f"user_id:{number}") for number in range(1_200)]
    store.cards.publish([], many, cycle=1)
    store.cards.publish([], many, cycle=2)
    assert store.cards.count() == 1_200
    ids = [one.person_id for one in many] + ["nobody"]
    assert sorted(store.cards.get_many(ids), key=lambda one: one.person_id) == many


def test_a_cycle_published_in_parts_is_noted_by_the_last(store: Store) -> None:
    assert store.cards.published_cycle() == 0
    store.cards.publish([], [card("p-1")], cycle=None)
    assert store.cards.published_cycle() == 0
    store.cards.publish([], [card("p-2")], cycle=7)
    assert (store.cards.count(), store.cards.published_cycle()) == (2, 7)


def test_search_is_by_the_beginning_of_any_identifier(store: Store) -> None:
    store.cards.publish(
        [],
        [
            card("p-1", "email:ali@x", last_seen=1),
            card("p-2", "email:alican@x", "phone:+90555", last_seen=3),
            card("p-3", "email:veli@x", last_seen=2),
            card("p-4", "user_id:Ali", last_seen=4),
        ],
        cycle=1,
    )

    def found(text: str, limit: int = 50) -> list[str]:
        return [one.person_id for one in store.cards.search(text, limit)]

    assert found("ali") == ["p-2", "p-1"]
    assert found("ali", limit=1) == ["p-2"]
    assert found("+90") == ["p-2"]
    assert found("%") == []
    assert found("id-veli@x") == ["p-3"]
    assert found("zzz") == []
    assert found("a\0") == []
    assert found("alh") == []
    assert [one.person_id for one in store.cards.newest(2)] == ["p-4", "p-2"]


def test_clearing_forgets_all(store: Store) -> None:
    store.cards.publish([], [card("p-1", "email:a")], cycle=3)
    store.cards.clear()
    assert (store.cards.count(), store.cards.published_cycle(), store.cards.newest()) == (0, 0, [])
    assert store.cards.find("email", "a") is None


def test_the_next_text_after_a_prefix_is_none_of_its_own(store: Store) -> None:
    values = ["ab", "ac", "a\ud7ff", "a\ud7ffb", "a\ue000", "a\U0010ffff", "b", "\U0010ffff"]
    cards = [card(f"p-{number}", f"user_id:{value}") for number, value in enumerate(values)]
    store.cards.publish([], cards, cycle=1)
    for text in values:
        wanted = {f"p-{number}" for number, value in enumerate(values) if value.startswith(text)}
        assert {one.person_id for one in store.cards.search(text)} == wanted, text
    assert store.cards.find("user_id", "a\0") is None


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.sets(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=8), max_size=8),
    text=st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=3),
)
def test_a_search_finds_exactly_what_starts_with_the_text(store: Store, values: set[str], text: str) -> None:
    store.cards.clear()
    cards = [Card(f"p-{i}", "{}", i, (Identifier("user_id", v, f"i-{i}"),)) for i, v in enumerate(values)]
    store.cards.publish([], cards, cycle=1)
    wanted = {c.person_id for c in cards if c.identifiers[0].value.startswith(text)}
    assert {one.person_id for one in store.cards.search(text)} == wanted
