"""Planning and applying: what changes, who did it, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tekil.definitions import Definition, InvalidDefinitions, Written, apply, plan, stored
from tekil.errors import BadRequest
from tekil.kinds import KINDS
from tekil.store import NewVersion, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def event(name: str, **spec: Any) -> Definition:
    return Definition("event", name, {}, "", spec)


def put(store: Store, *wanted: Definition, prune: bool = False) -> list[str]:
    changes = apply(store, KINDS, [Written(d) for d in wanted], author="ayşe", note="because", prune=prune)
    return [f"{change.action} {change.name} {change.version}" for change in changes]


def test_what_is_applied_is_in_force_and_applying_it_again_changes_nothing(store: Store) -> None:
    assert store.definitions.revision() == 0
    assert put(store, event("A", mode="warn"), event("B")) == ["new A 1", "new B 1"]
    assert store.definitions.revision() == 2
    assert put(store, event("A", mode="warn")) == []
    assert [stored(version) for version in store.definitions.current()] == [
        event("A", mode="warn"),
        event("B"),
    ]


def test_a_plan_names_every_field_and_changes_nothing(store: Store) -> None:
    put(store, event("A", mode="warn", fields={"properties.x": {"required": True}}))
    wanted = [event("A", mode="quarantine", fields={"properties.x": {"required": True, "min": 1}})]
    (change,) = plan(store, wanted)
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("spec.mode", "warn", "quarantine"),
        ("spec.fields.properties.x.min", None, 1),
    ]
    assert store.definitions.revision() == 1


def test_what_is_missing_goes_only_when_asked_to_and_its_versions_stay(store: Store) -> None:
    put(store, event("A"), event("B"))
    assert put(store, event("B")) == []
    assert put(store, event("B"), prune=True) == ["removed A 2"]
    assert [version.name for version in store.definitions.current()] == ["B"]
    assert put(store, event("A")) == ["new A 3"]
    history = store.definitions.history("event", "A")
    assert [(v.version, v.body is None, v.author, v.note) for v in history] == [
        (3, False, "ayşe", "because"),
        (2, True, "ayşe", "because"),
        (1, False, "ayşe", "because"),
    ]
    assert [v.name for v in store.definitions.changes(2)] == ["A", "A"]


def test_a_change_planned_on_what_is_no_more_is_refused(store: Store) -> None:
    put(store, event("A"))
    with pytest.raises(BadRequest, match="once more"):
        store.definitions.add([NewVersion("event", "B", 1, "{}")], author="x", note="", expected=0)
    assert store.definitions.revision() == 1


def test_two_events_cannot_claim_one_name_even_when_one_is_in_force_already(store: Store) -> None:
    put(store, event("A", synonyms=["a"]))
    for wanted in (event("B", synonyms=["a"]), event("a"), event("B", synonyms=["A"])):
        with pytest.raises(InvalidDefinitions, match="already"):
            put(store, wanted)
    assert put(store, event("B", synonyms=["a"]), prune=True) == ["new B 1", "removed A 2"]
