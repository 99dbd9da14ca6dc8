"""What any warehouse does, told once and asked of every engine."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from tekil.errors import BadRequest
from tekil.warehouse import RESERVED_WORDS, Column, Marks, Table, Warehouse
from tekil.warehouse.duckdb import DuckDBWarehouse
from tests.warehouse.conftest import COUNTS, Opened

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456)
WRITTEN = f"""SELECT 'ayşe' AS author, 'it''s \\ "so"' AS said, TIMESTAMP '{NOON}' AS said_at, 7 AS number,
    as_variant('{{"a":[1,null,"ş"]}}') AS body"""


def half_of_md5(text: str) -> int:
    """What `key64` promises: the last eight bytes, little-endian, without the lowest bit."""
    return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little") >> 1


def write(warehouse: Warehouse, author: str, number: int) -> None:
    warehouse.append("notes", f"SELECT '{author}' AS author, {number} AS number")


def authors(warehouse: Warehouse) -> list[tuple[str, int]]:
    rows = warehouse.read("SELECT author, number FROM notes ORDER BY author, number").to_pylist()
    return [(row["author"], row["number"]) for row in rows]


def test_what_is_written_is_read_as_it_was(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.append("notes", WRITTEN)
    row = warehouse.read("SELECT author, said, said_at, number, tags, seen FROM notes").to_pylist()[0]
    assert row == {
        "author": "ayşe",
        "said": 'it\'s \\ "so"',
        "said_at": NOON,
        "number": 7,
        "tags": None,
        "seen": None,
    }
    assert warehouse.query("SELECT variant_json(body) AS j FROM notes")["j"].to_pylist() == [
        '{"a":[1,null,"ş"]}'
    ]


def test_a_staged_relation_holds_its_rows_from_the_moment_it_is_made(warehouse: Warehouse) -> None:
    warehouse.stage("given", pa.table({"n": [1, 2, 3], "said_at": [NOON, None, NOON]}))
    warehouse.derive("doubled", "SELECT n * 2 AS n, said_at FROM given")
    warehouse.stage("given", pa.table({"n": [9]}))
    warehouse.derive("doubled", "SELECT n + 1 AS n, said_at FROM doubled")
    rows = warehouse.query("SELECT n, said_at FROM doubled ORDER BY n").to_pylist()
    assert rows == [{"n": 3, "said_at": NOON}, {"n": 5, "said_at": None}, {"n": 7, "said_at": NOON}]


def test_a_staged_relation_may_have_no_rows_and_may_be_dropped_twice(warehouse: Warehouse) -> None:
    warehouse.stage("given", pa.table({"n": pa.array([], pa.int64()), "t": pa.array([], pa.string())}))
    warehouse.derive("none", "SELECT * FROM given WHERE n > 1")
    assert warehouse.query("SELECT count(*) AS c FROM none")["c"].to_pylist() == [0]
    warehouse.drop("none")
    warehouse.drop("none")


def test_replace_takes_the_touched_keys_and_leaves_the_others(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        for author, number in (("a", 1), ("a", 2), ("b", 3), ("c", 4)):
            write(warehouse, author, number)
    warehouse.derive("touched", "SELECT 'a' AS author UNION ALL SELECT 'c' UNION ALL SELECT 'a'")
    with warehouse.transaction():
        warehouse.replace("notes", "touched", "SELECT 'a' AS author, 9 AS number")
    assert authors(warehouse) == [("a", 9), ("b", 3)]


def test_rows_are_removed_by_any_column(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        for author, number in (("a", 1), ("a", 2), ("b", 2), ("c", 4)):
            write(warehouse, author, number)
    warehouse.derive("doomed", "SELECT 2 AS number UNION ALL SELECT 2 UNION ALL SELECT 7")
    with warehouse.transaction():
        warehouse.remove("notes", "number", "doomed")
    assert authors(warehouse) == [("a", 1), ("c", 4)]


def test_overwrite_leaves_only_what_it_was_given(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        write(warehouse, "a", 1)
    with warehouse.transaction():
        warehouse.overwrite("notes", "SELECT 'z' AS author, 26 AS number")
    assert authors(warehouse) == [("z", 26)]


WIDER = Table(
    "counts",
    (Column("author", "text"), Column("notes", "decimal"), Column("seen_at", "timestamp")),
    key="author",
)


def test_a_table_is_made_anew_with_other_columns_and_back(opened: Opened) -> None:
    warehouse = opened()
    with warehouse.transaction():
        warehouse.append("counts", "SELECT 'a' AS author, 1 AS notes")
    for _ in range(2):
        with warehouse.transaction():
            warehouse.remake(WIDER, f"SELECT 'b' AS author, 2.5 AS notes, TIMESTAMP '{NOON}' AS seen_at")
            warehouse.set_marks(Marks(1, 1, NOON, "wide"))
        wide = [{"author": "b", "notes": Decimal("2.5000"), "seen_at": NOON}]
        assert warehouse.read("SELECT * FROM counts").to_pylist() == wide
        warehouse.derive("touched", "SELECT 'b' AS author")
        with warehouse.transaction():
            warehouse.replace("counts", "touched", "SELECT 'c' AS author, 3 AS notes")
        assert warehouse.read("SELECT author, notes FROM counts").to_pylist() == [
            {"author": "c", "notes": Decimal(3)}
        ]
        with warehouse.transaction():
            warehouse.remake(COUNTS, "SELECT 'd' AS author, 4 AS notes")
        assert warehouse.query("SELECT * FROM counts").to_pylist() == [{"author": "d", "notes": 4}]
    with warehouse.transaction():
        warehouse.remake(WIDER, "SELECT 'e' AS author, 5 AS notes")
    again = opened()
    assert again.read("SELECT author, seen_at FROM counts").to_pylist() == [{"author": "e", "seen_at": None}]


def remake_in_vain(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.remake(WIDER, "SELECT 'b' AS author, 2.5 AS notes")
        raise KeyboardInterrupt


def test_a_table_that_was_not_made_anew_after_all_is_as_it_was(opened: Opened) -> None:
    warehouse = opened()
    with warehouse.transaction():
        warehouse.append("counts", "SELECT 'a' AS author, 1 AS notes")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            remake_in_vain(warehouse)
        for look in (warehouse.read, warehouse.query):
            assert look("SELECT * FROM counts").to_pylist() == [{"author": "a", "notes": 1}]
    warehouse.derive("touched", "SELECT 'a' AS author")
    with warehouse.transaction():
        warehouse.replace("counts", "touched", "SELECT 'a' AS author, 2 AS notes")
    assert opened().read("SELECT * FROM counts").to_pylist() == [{"author": "a", "notes": 2}]


def test_nobody_reads_what_is_not_committed(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        write(warehouse, "a", 1)
        assert warehouse.query("SELECT count(*) AS c FROM notes")["c"].to_pylist() == [1]
        assert authors(warehouse) == []
    assert authors(warehouse) == [("a", 1)]


def test_marks_are_committed_with_the_data_and_last(opened: Opened) -> None:
    warehouse = opened()
    assert warehouse.marks() == Marks()
    marks = Marks(41, 7, NOON, "digest's")
    with warehouse.transaction():
        write(warehouse, "a", 1)
        warehouse.set_marks(marks)
    assert warehouse.marks() == marks
    again = opened()
    assert again.marks() == marks
    assert authors(again) == [("a", 1)]
    assert again.read("SELECT position, cycle FROM tekil_marks").to_pylist() == [{"position": 41, "cycle": 7}]


def transaction(warehouse: Warehouse, failing_before: int) -> None:
    """Six writing steps over two tables and the marks; dies before one of them, or before the commit."""
    steps = [
        lambda: write(warehouse, "new", 10),
        lambda: warehouse.replace("notes", "touched", "SELECT 'a' AS author, 99 AS number"),
        lambda: warehouse.overwrite("counts", "SELECT 'a' AS author, 5 AS notes"),
        lambda: warehouse.append("counts", "SELECT 'b' AS author, 6 AS notes"),
        lambda: warehouse.set_marks(Marks(2, 2, NOON, "new")),
    ]
    with warehouse.transaction():
        for number, step in enumerate(steps):
            if number == failing_before:
                raise KeyboardInterrupt
            step()
        raise KeyboardInterrupt


@pytest.mark.parametrize("reopening", [False, True])
@pytest.mark.parametrize("failing_before", [1, 2, 4, 5])
def test_a_transaction_that_fails_anywhere_leaves_everything_as_it_was(
    opened: Opened, failing_before: int, reopening: bool
) -> None:
    warehouse = opened()
    before = Marks(1, 1, NOON, "old")
    with warehouse.transaction():
        write(warehouse, "a", 1)
        warehouse.append("counts", "SELECT 'a' AS author, 1 AS notes")
        warehouse.set_marks(before)
    warehouse.derive("touched", "SELECT 'a' AS author")
    with pytest.raises(KeyboardInterrupt):
        transaction(warehouse, failing_before)
    if reopening:
        warehouse = opened()
    assert warehouse.marks() == before
    for look in (warehouse.read, warehouse.query):
        assert look("SELECT author, number FROM notes").to_pylist() == [{"author": "a", "number": 1}]
        assert look("SELECT author, notes FROM counts").to_pylist() == [{"author": "a", "notes": 1}]
    with warehouse.transaction():
        write(warehouse, "after", 2)
    assert authors(warehouse) == [("a", 1), ("after", 2)]


def test_views_and_parameters_are_for_readers(warehouse: Warehouse) -> None:
    warehouse.define({"loud": "SELECT upper(author) AS author, said_at FROM notes"})
    with warehouse.transaction():
        warehouse.append("notes", WRITTEN.replace("ayşe", "can"))
    found = warehouse.read(
        "SELECT author FROM loud WHERE author = $name AND said_at = $instant",
        {"name": "CAN", "instant": NOON},
    )
    assert found.to_pylist() == [{"author": "CAN"}]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM notes",
        "SELECT 1; SELECT 2",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM notes",
        "SELEC 1",
        "SELECT * FROM read_csv('/etc/passwd')",
        'SELECT * FROM parquet."/etc"',
    ],
)
def test_readers_can_only_select_and_only_from_what_is_here(warehouse: Warehouse, sql: str) -> None:
    with pytest.raises(BadRequest):
        warehouse.read(sql)


@pytest.mark.parametrize(
    ("macro", "answer"),
    [
        ("instant('2026-01-31T12:00:00.5+03:00')", datetime(2026, 1, 31, 9, 0, 0, 500000)),
        ("instant('2026-01-31 12:00:00 UTC')", datetime(2026, 1, 31, 12)),
        ("instant('2026-01-31')", datetime(2026, 1, 31)),
        ("instant('2026-02-30')", None),
        ("instant('2026')", None),
        ("instant('12:00')", None),
        ("instant('epoch')", None),
        ("key64('user_id:ü1')", half_of_md5("user_id:ü1")),
        ("key64('')", half_of_md5("")),
        ("lowered('ΟΔΟΣ AYŞE')", "οδοσ ayşe"),
        ("decoded('a+b%20k%C4%B1%C5%9F')", "a b kış"),
        ("decoded('100%zz%20x')", "100%zz x"),
        ("decoded('%C5')", "%C5"),
        ("json_member('{\"a\":{\"b\":1}}', 'a')", '{"b":1}'),
        ("json_member('{\"a\":null}', 'a')", None),
        ("is_json_container('{\"a\":1}')", True),
        ("is_json_container('{a')", False),
        ("json_quoted('say \"hi\" ş')", '"say \\"hi\\" ş"'),
        ("variant_text(as_variant('{\"a\":\"x\"}'), 'a')", "x"),
        ("variant_json(as_variant('no json'))", None),
        ("epoch_us(shifted(TIMESTAMP '1970-01-01', 5))", 5),
        ("iso_text(TIMESTAMP '2026-01-31 12:00:00.123456')", "2026-01-31T12:00:00.123Z"),
        ("iso_text(TIMESTAMP '1969-12-31 23:59:59.999')", "1969-12-31T23:59:59.999Z"),
        ("person_id_of(255)", "p00000000000000ff"),
        ("variant_text(as_variant('{\"Sipariş No\":\"x\"}'), 'Sipariş No')", "x"),
        ("variant_text(as_variant('{\"a\":12.5}'), 'a')", "12.5"),
        ("variant_text(as_variant('{\"a\":true}'), 'a')", "true"),
        ("variant_text(as_variant('{\"a\":null}'), 'a')", None),
        ("decimal_of('-3.00005')", Decimal("-3.0001")),
        ("decimal_of('1e3')", None),
        ("decimal_of('99999999999999.99999')", None),
        ("divided(CAST(2 AS DECIMAL(18, 4)), CAST(-3 AS DECIMAL(18, 4)))", Decimal("-0.6667")),
        ("divided(CAST(2 AS DECIMAL(18, 4)), CAST(0 AS DECIMAL(18, 4)))", None),
        ("days_between(TIMESTAMP '2026-01-02 00:00:00.000001', TIMESTAMP '2026-01-01')", -2),
        ("days_between(TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02 23:59:59')", 1),
        ("day_in(TIMESTAMP '2026-01-31 21:30:00', 'Europe/Istanbul')", date(2026, 2, 1)),
    ],
)
def test_macros_mean_the_same_everywhere(warehouse: Warehouse, macro: str, answer: object) -> None:
    warehouse.derive("one", "SELECT 1 AS one")
    assert warehouse.query(f"SELECT {macro} AS it FROM one")["it"].to_pylist() == [answer]


def test_rows_are_picked_by_the_key_or_by_another_column(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        for author, number in (("a", 1), ("b", 2), ("c", 2)):
            write(warehouse, author, number)
    warehouse.stage("wanted", pa.table({"author": ["a"], "number": [2]}))
    warehouse.pick("of_key", "notes", ["author"], "wanted")
    warehouse.pick("of_number", "notes", ["author"], "wanted", by="number")
    assert warehouse.query("SELECT author FROM of_key")["author"].to_pylist() == ["a"]
    assert sorted(warehouse.query("SELECT author FROM of_number")["author"].to_pylist()) == ["b", "c"]


def test_rows_that_several_columns_find_are_picked_once(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        for author, number in (("a", 1), ("b", 2), ("c", 2), ("d", 3)):
            write(warehouse, author, number)
    warehouse.stage("authors", pa.table({"author": ["a", "b"]}))
    warehouse.stage("numbers", pa.table({"number": [2, 7]}))
    warehouse.pick("found", "notes", ["author", "number"], {"author": "authors", "number": "numbers"})
    assert sorted(warehouse.query("SELECT author FROM found")["author"].to_pylist()) == ["a", "b", "c"]


def test_a_list_is_taken_apart_element_by_element(warehouse: Warehouse) -> None:
    listed = '[{"type": "card", "id": "ş1"}, {"id": 7}, {"type": null}]'
    warehouse.stage("said", pa.table({"n": [1, 2], "ids": [listed, "[]"]}))
    rows = warehouse.query("""
        SELECT n, json_member(element, 'type') AS type, json_member(element, 'id') AS id
        FROM elements_of(said, ids)
    """).to_pylist()
    told = {(row["n"], row["type"], row["id"]) for row in rows}
    assert told == {(1, "card", "ş1"), (1, None, "7"), (1, None, None)}


def test_every_word_that_the_engine_keeps_for_itself_is_known() -> None:
    with contextlib.closing(DuckDBWarehouse(":memory:")) as warehouse:
        kept = (
            "SELECT keyword_name FROM duckdb_keywords()"
            " WHERE keyword_category IN ('reserved', 'type_function')"
        )
        assert set(warehouse.read(kept)["keyword_name"].to_pylist()) == RESERVED_WORDS
