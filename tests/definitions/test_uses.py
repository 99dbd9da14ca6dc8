"""Which definition is made of which: read from what their expressions name, whatever their kind."""

from __future__ import annotations

from typing import Any

from tekil.definitions import Definition, dependents, expressions_of, uses


def of(kind: str, name: str, **spec: Any) -> Definition:
    return Definition(kind, name, {}, "", spec)


SHOP = [
    of("event", "Order Completed", description="orders, of course"),
    of("event", "Order Cancelled"),
    of("feature", "orders", sql="count(*) filter (where event in ('Order Completed', 'Unheard Of'))"),
    of("feature", "cancelled", sql="max('Order Cancelled' = event and properties.orders is not null)"),
    of("feature", "broken", sql="count(("),
    of("audience", "buyers", sql="orders > 0"),
    of("audience", "settled", sql="since(buyers) < now() - interval 3 day"),
    of("score", "fit", groups=[{"criteria": [{"when": "buyers", "points": 3}, {"sql": "orders > 9"}]}]),
]


def test_expressions_are_found_wherever_they_stand() -> None:
    assert expressions_of(SHOP[-1]) == ["buyers", "orders > 9"]
    assert expressions_of(SHOP[0]) == []


def test_who_uses_what_is_read_from_names_and_from_events() -> None:
    found = uses(SHOP)
    assert found["feature", "orders"] == {("event", "Order Completed")}
    assert found["feature", "cancelled"] == {("event", "Order Cancelled")}
    assert found["feature", "broken"] == frozenset()
    assert found["audience", "settled"] == {("audience", "buyers")}
    assert found["score", "fit"] == {("audience", "buyers"), ("feature", "orders")}


def test_dependents_are_told_with_the_way_that_leads_to_them() -> None:
    found = dependents([("feature", "orders")], uses(SHOP))
    assert found == {
        ("audience", "buyers"): [("feature", "orders")],
        ("score", "fit"): [("feature", "orders")],
        ("audience", "settled"): [("feature", "orders"), ("audience", "buyers")],
    }
    assert dependents([("audience", "settled")], uses(SHOP)) == {}
