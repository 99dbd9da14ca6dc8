"""What erasure does with the store: every table says it, and it is done, bytes and all."""

from __future__ import annotations

from pathlib import Path

import pytest

import tekil.store.open as _all_tables
from tekil.store import Card, Identifier, Store, open_store
from tekil.store.consent_entries import Entry
from tekil.store.erasing import Erased
from tekil.store.iys import IysRecord
from tekil.store.requests import SubjectRequest
from tekil.store.tables import metadata
from tekil.store.tombstones import Tombstone

assert _all_tables


def test_every_table_says_what_erasing_a_person_does_with_it() -> None:
    assert [table.name for table in metadata.sorted_tables if "erasure" not in table.info] == []
    told: dict[str, Erased] = {table.name: table.info["erasure"] for table in metadata.sorted_tables}
    assert [name for name, one in told.items() if one.what in ("keep", "own") and not one.because] == []
    for table in metadata.sorted_tables:
        one = told[table.name]
        columns = {one.person, one.token, one.other, *one.instead} - {""}
        assert columns <= set(table.c.keys()), table.name


def entry(token: str, given: bool, at: int) -> Entry:
    return Entry(
        f"{token}{given}{at}", "email", token, "news", "email", given, at, at, "web", proof='{"ip":1}'
    )


def fill(store: Store) -> None:
    owned = (Identifier("email", "email~a", "p1"), Identifier("user_id", "ayse-1907", "p1"))
    store.cards.publish([], [Card("p1", '{"note":"ayse-1907"}', 1, owned), Card("p2", "{}", 2)], 1)
    store.consents.append([entry("email~a", True, 1), entry("email~b", True, 1)])
    record = IysRecord("r1", "email~a", "email", "EPOSTA", "BIREYSEL", "ONAY", "WEB", 1, state="accepted")
    waiting = IysRecord("r2", "email~a", "email", "EPOSTA", "BIREYSEL", "RET", "WEB", 2)
    store.iys.add([record, waiting])
    store.requests.add(
        SubjectRequest("q1", "erasure", "email", "email~a", 1, 2, "kep", notes="I am ayse-1907")
    )


def test_a_persons_rows_go_and_what_must_be_provable_loses_its_name(store: Store) -> None:
    fill(store)
    hashes = {"email~a": "erased~1"}
    counted = store.person_rows.count(["p1"], ["email~a"])
    assert {name: n for name, n in counted.items() if n} == {
        "cards": 1,
        "identifiers": 2,
        "consents": 1,
        "iys_records": 2,
        "subject_requests": 1,
    }
    store.person_rows.remove(["p1"], hashes)
    assert not any(store.person_rows.count(["p1"], ["email~a"]).values())
    assert store.person_rows.remove(["p1"], hashes)["cards"] == 0
    assert store.cards.get("p2") is not None
    assert [e.token for e in store.consents.of(["email~b"])] == ["email~b"]
    (kept,) = store.consents.of(["erased~1"])
    assert (kept.kind, kept.proof, kept.given) == ("erased", "{}", True)
    assert [one.id for one in store.iys.of_state("accepted")] == ["r1"]
    assert store.iys.of_state("waiting") == []
    assert store.requests.get("q1").notes == ""


def test_no_byte_of_what_was_deleted_stays_in_sqlites_files(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    fill(store)
    store.wipe()
    assert b"ayse-1907" in (tmp_path / "store.db").read_bytes()
    store.person_rows.remove(["p1"], {"email~a": "erased~1"})
    assert store.wipe()
    for file in tmp_path.iterdir():
        assert b"ayse-1907" not in file.read_bytes(), file
    store.close()


def test_a_tombstone_of_somebody_erased_again_counts_from_the_later_instant(store: Store) -> None:
    store.tombstones.set([])
    store.tombstones.set([Tombstone("h", 1, b"1", "d1"), Tombstone("i", 1, b"2", "d1")])
    store.tombstones.set([Tombstone("h", 5, b"3", "d2")])
    assert store.tombstones.get("h") == Tombstone("h", 5, b"3", "d2")
    assert store.tombstones.get("nobody") is None
    assert [stone.hash for stone in store.tombstones.of_destruction("d1")] == ["i"]
    assert store.tombstones.count() == len(store.tombstones.all()) == 2


@pytest.mark.parametrize("tokens", [[], [f"email~{i}" for i in range(1200)]])
def test_any_number_of_tokens_is_counted(store: Store, tokens: list[str]) -> None:
    store.consents.append([entry(token, True, 1) for token in tokens])
    assert store.person_rows.count([], tokens)["consents"] == len(tokens)
