"""A draft from live traffic: true to what was said, and showing none of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.definitions import Written, apply
from tekil.dictionary import EVENT_KIND
from tekil.dictionary.inference import describe, draft, event_names, inconsistent, look, shape_of
from tekil.kinds import KINDS
from tests.dictionary.defining import undefine
from tests.installation import Installation
from tests.laws.conftest import Found

TODAY = date(2026, 3, 1)


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    undefine(made.store)
    yield made
    undefine(made.store)
    made.close()


def track(event: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": "u", "properties": properties}


def test_a_draft_says_what_was_seen_and_adopting_it_breaks_nothing(installation: Installation) -> None:
    said = [
        track("O'rder", total=5.5, n=1, ship={"city": "Van"}, note="x"),
        track("O'rder", total=5, n=2, ship={"city": "Muş"}),
    ]
    installation.say(*said, track("Other"))
    installation.run()
    assert event_names(installation.warehouse.read) == ["O'rder", "Other"]
    seen = look(installation.warehouse.read, "O'rder")
    definition = draft(seen, TODAY)
    assert definition.spec["fields"] == {
        "properties.n": {"type": "integer", "required": True},
        "properties.ship.city": {"type": "text", "required": True},
        "properties.total": {"type": "number", "required": True},
        "properties.note": {"type": "text"},
    }
    assert definition.spec["review"] == "2026-05-31"
    apply(installation.store, KINDS, [Written(definition)], author="x")
    installation.say(*said)
    installation.run()
    assert installation.rows("SELECT * FROM violations") == []


def test_fields_that_sources_say_differently_are_found() -> None:
    seen = describe("E", [("web", '{"a":1,"b":1,"c":"x"}'), ("app", '{"a":"1","b":1.5,"c":"y"}')])
    assert [field.path for field in inconsistent(seen.fields)] == ["properties.a"]
    assert seen.fields[0].sources == {"web": "integer", "app": "text"}


@pytest.mark.parametrize(
    ("value", "shape"),
    [("AB-123", "AA-999"), ("ayse@example.com", "aaaa@aaaaaaa.aaa"), ("Çok güzel", "Aaa aaaaa"),
     (12.5, "99.9"), (True, "true"), ("x" * 50, "a" * 24 + "…")],
)  # fmt: skip
def test_a_shape_shows_how_a_value_is_written_and_not_what(value: Any, shape: str) -> None:
    assert shape_of(value) == shape


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(max_size=6), json_values, max_size=4), max_size=5))
def test_a_draft_of_anything_is_a_definition_that_may_stand(said: list[dict[str, Any]]) -> None:
    seen = describe("E", [("web", json.dumps(one)) for one in said])
    definition = draft(seen, TODAY)
    assert EVENT_KIND.check(definition) == []
