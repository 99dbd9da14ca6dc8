"""İYS's records as they are kept, in every database."""

from __future__ import annotations

import msgspec

from tekil.store import Store
from tekil.store.consent_entries import Entry, entry_id
from tekil.store.iys import IysRecord


def entry(token: str, channel: str = "email", source: str = "web", kind: str = "email", at: int = 5) -> Entry:
    made = entry_id(token, "marketing", channel, True, at, source)
    return Entry(made, kind, token, "marketing", channel, True, at, at, source)


def record(name: str, at: int, **more: str) -> IysRecord:
    made = IysRecord(name, "t", "email", "EPOSTA", "BIREYSEL", "ONAY", "HS_WEB", at)
    return msgspec.structs.replace(made, **more)  # type: ignore[arg-type]


def test_what_has_no_record_yet_and_concerns_iys_is_missing(store: Store) -> None:
    wanted = entry("a")
    store.consents.append(
        [wanted, entry("a", "push"), entry("b", source="iys"), entry("c", kind="user_id"), entry("d", at=1)]
    )
    assert store.iys.missing("marketing", ("email",), 2, 10) == [wanted]
    assert store.iys.missing("analytics", ("email",), 0, 10) == []
    made = msgspec.structs.replace(record(wanted.id, 5), state="rejected")
    store.iys.add([made])
    store.iys.add([record(wanted.id, 9)])
    assert store.iys.missing("marketing", ("email",), 2, 10) == []
    assert store.iys.counts()["rejected"] == 1


def test_the_oldest_of_an_address_goes_first_and_one_at_a_time(store: Store) -> None:
    store.iys.add([record("2", 20), record("1", 10), record("3", 5, token="u"), record("4", 1, type="ARAMA")])
    assert sorted(one.id for one in store.iys.next_to_send(10)) == ["1", "3", "4"]
    store.iys.change(["1"], state="sent", request_id="r", place=0)
    assert sorted(one.id for one in store.iys.next_to_send(10)) == ["3", "4"]
    assert [one.id for one in store.iys.on_their_way()["r"]] == ["1"]
    assert store.iys.last_accepted(record("x", 1)) is None
    store.iys.change(["1"], state="accepted")
    held = store.iys.last_accepted(record("x", 1))
    assert held is not None
    assert held.id == "1"
    assert [one.id for one in store.iys.of_state("waiting")] == ["4", "3", "2"]


def test_marks_are_remembered(store: Store) -> None:
    assert store.iys.mark("pulled") == ""
    for value in ("1", "2"):
        store.iys.set_mark("pulled", value)
    assert store.iys.mark("pulled") == "2"
