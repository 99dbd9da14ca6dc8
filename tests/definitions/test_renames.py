"""A definition that is called anew stays the same one: its versions go on, and its old name is free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.definitions import Definition, InvalidDefinitions, Written, apply, dump, parse, plan
from tekil.kinds import KINDS
from tekil.store import Rename, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def feature(name: str, sql: str = "count(*)", was: str = "") -> Definition:
    return Definition("feature", name, {}, "", {"sql": sql}, was)


def put(store: Store, *wanted: Definition, prune: bool = False) -> list[str]:
    changes = apply(store, KINDS, [Written(d) for d in wanted], author="ayşe", prune=prune)
    return [
        f"{c.action} {c.renamed_from}{'→' if c.renamed_from else ''}{c.name} {c.version}" for c in changes
    ]


def test_versions_go_on_under_the_new_name_and_the_old_one_is_gone(store: Store) -> None:
    put(store, feature("visits"))
    put(store, feature("visits", "count(url)"))
    (planned,) = plan(store, [feature("visits_all", "count(url)", "visits")])
    assert [field.path for field in planned.fields] == ["renamed_from"]
    assert put(store, feature("visits_all", "count(url)", "visits")) == ["renamed visits→visits_all 4"]
    assert [v.name for v in store.definitions.current()] == ["visits_all"]
    told = [(v.name, v.version) for v in store.definitions.history("feature", "visits_all")]
    assert told == [("visits_all", 4), ("visits", 2), ("visits", 1)]


def test_a_document_may_keep_saying_what_it_was_called(store: Store) -> None:
    put(store, feature("a"))
    put(store, feature("b", was="a"))
    assert put(store, feature("b", was="a")) == []
    assert put(store, feature("b", "count(url)", "a")) == ["changed b 4"]
    assert put(store, feature("a"), feature("b", "count(url)", "a"), prune=False) == ["new a 3"]
    assert store.definitions.renames("feature") == [Rename(3, "feature", "a", "b")]


def test_a_chain_of_names_is_one_history(store: Store) -> None:
    put(store, feature("a"), feature("other"))
    put(store, feature("b", was="a"))
    assert put(store, feature("c", was="b"), feature("other"), prune=True) == ["renamed b→c 5"]
    assert [v.name for v in store.definitions.history("feature", "c")] == ["c", "b", "a"]
    assert [(r.old, r.new) for r in store.definitions.renames("feature")] == [("a", "b"), ("b", "c")]


def test_what_is_renamed_cannot_stay_as_well_nor_be_named_any_more(store: Store) -> None:
    audience = Definition("audience", "many", {}, "", {"sql": "visits > 3"})
    put(store, feature("visits"), audience)
    with pytest.raises(InvalidDefinitions, match="It can be renamed, or stay"):
        put(store, feature("visits"), feature("views", was="visits"))
    with pytest.raises(InvalidDefinitions, match="There is no 'visits' here"):
        put(store, feature("views", was="visits"))
    renamed = Definition("audience", "many", {}, "", {"sql": "views > 3"})
    assert put(store, feature("views", was="visits"), renamed) == ["changed many 2", "renamed visits→views 3"]
    with pytest.raises(InvalidDefinitions, match="leave renamed_from out"):
        parse(dump([feature("x", was="x")]))
