"""Documents: what can be read, and that every mistake is told with the line where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.definitions import Definition, InvalidDefinitions, check, dump, parse, read
from tekil.kinds import KINDS

GOOD = """\
kind: event
name: Order Completed
title: {tr: Sipariş tamamlandı, en: Order completed}
owner: growth
spec:
  review: 2026-12-01
  fields:
    properties.total:
      type: number
      min: 0
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidDefinitions) as caught:
        check(KINDS, parse(text, "a.yaml"), [])
    return [str(problem) for problem in caught.value.problems]


def test_a_document_is_read_as_it_is_written() -> None:
    (written,) = parse(GOOD)
    assert written.definition.title_in("tr") == "Sipariş tamamlandı"
    assert written.definition.spec["review"] == "2026-12-01"
    check(KINDS, [written], [])


def test_no_word_but_true_and_false_is_a_boolean() -> None:
    (written,) = parse("kind: event\nname: 'on'\ntitle: {en: no}\nspec: {a: yes, b: true, c: 1, d: 1.5}")
    assert written.definition.title == {"en": "no"}
    assert written.definition.spec == {"a": "yes", "b": True, "c": 1, "d": 1.5}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: number", "type: nummer", "a.yaml:9: Order Completed: Invalid enum value 'nummer'"),
        ("min: 0", "min: x", "a.yaml:10: Order Completed: Expected `float | null`"),
        ("min: 0", "minimum: 0", "a.yaml:10: Order Completed: Object contains unknown field `minimum`"),
        ("properties.total:", "total:", "a.yaml:8: Order Completed: 'total' is no place in a message"),
        ("2026-12-01", "soon", "a.yaml:6: Order Completed: 'soon' is no day"),
        ("kind: event", "kind: evnt", "a.yaml:1: Order Completed: There is no kind 'evnt'"),
        ("{tr:", "{fr:", "a.yaml:3: Order Completed: There is no title in 'fr'"),
        (
            "owner: growth",
            "owner: growth\nkind: event",
            "a.yaml:5: This is no YAML we can read: 'kind' stands",
        ),
        ("owner: growth", "owner: [", "a.yaml:6: This is no YAML"),
        ("owner: growth", "owner: &x growth\nname: *x", "aliases"),
        ("name: Order Completed", "name: ' '", "a.yaml:2:  : A name has 1 to 200"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new))
    assert told in found[0], found


def test_all_files_are_read_and_all_their_mistakes_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.yml").write_text(GOOD + "---\n" + GOOD.replace("Order", "Cart"))
    assert [w.definition.name for w in read([tmp_path])] == ["Order Completed", "Cart Completed"]
    (tmp_path / "two.yaml").write_text("kind: [")
    (tmp_path / "three.yaml").write_bytes(b"\xff\xff")
    (tmp_path / "notes.txt").write_text("kind: [")
    with pytest.raises(InvalidDefinitions) as caught:
        read([tmp_path])
    assert {Path(problem.file).name for problem in caught.value.problems} == {"two.yaml", "three.yaml"}


def test_what_is_written_twice_is_told_where_it_was_first() -> None:
    (told,) = problems(GOOD + "---\n" + GOOD)
    assert told.startswith("a.yaml:13: ")
    assert "second time" in told


texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-2, 2), texts)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20)


@given(name=names, title=texts, spec=st.dictionaries(names, values, max_size=4))
def test_what_is_written_out_reads_back_the_same(name: str, title: str, spec: dict[str, Any]) -> None:
    wanted = Definition("event", name, {"tr": title}, "", spec)
    (written,) = parse(dump([wanted]))
    assert written.definition == wanted
