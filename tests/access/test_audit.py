"""Whatever is done to the entries of the trail afterwards, it is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.access.audit import (
    BEGINNING,
    Act,
    Actor,
    Entry,
    Head,
    chained,
    details_text,
    parse_head,
    verify,
)
from tekil.errors import BadRequest

TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=12)
ENTRY = st.builds(
    Entry,
    number=st.just(0),
    at=st.integers(0, 2**60),
    actor_kind=st.sampled_from(["user", "key", "system"]),
    actor=TEXT,
    origin=TEXT,
    act=st.sampled_from([str(act) for act in Act]),
    object_kind=TEXT,
    object_id=TEXT,
    details=st.dictionaries(TEXT, TEXT | st.integers(0, 9) | st.booleans(), max_size=3).map(details_text),
)


def trail(entries: list[Entry]) -> tuple[list[Entry], Head]:
    """The entries as the store would have written them."""
    head, written = BEGINNING, []
    for number, told in enumerate(entries, 1):
        entry = msgspec.structs.replace(told, number=number)
        written.append(msgspec.structs.replace(entry, hash=chained(entry, head.hash)))
        head = Head(number, written[-1].hash)
    return written, head


TRAILS = st.lists(ENTRY, min_size=1, max_size=6).map(trail)


@given(TRAILS)
def test_what_was_written_fits_and_so_does_every_head_it_ever_had(found: tuple[list[Entry], Head]) -> None:
    entries, head = found
    assert verify(entries, head) is None
    for entry in entries:
        assert verify(entries, head, Head(entry.number, entry.hash)) is None


@given(TRAILS, st.data())
def test_a_change_of_any_field_is_found_at_its_entry(
    found: tuple[list[Entry], Head], data: st.DataObject
) -> None:
    entries, head = found
    place = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(st.sampled_from(Entry.__struct_fields__))
    old = getattr(entries[place], field)
    new: Any = old + 1 if isinstance(old, int) else old + "x"
    entries[place] = msgspec.structs.replace(entries[place], **{field: new})
    misfit = verify(entries, head)
    assert misfit is not None
    assert misfit.number == place + 1


@given(TRAILS, st.data())
def test_a_field_that_borrows_from_its_neighbour_is_found(
    found: tuple[list[Entry], Head], data: st.DataObject
) -> None:
    entries, head = found
    place = data.draw(st.integers(0, len(entries) - 1))
    one = entries[place]
    moved = msgspec.structs.replace(one, actor=one.actor + one.origin, origin="")
    entries[place] = moved
    assert (verify(entries, head) is None) is (moved == one)


@given(TRAILS, st.data())
def test_a_removal_is_found(found: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = found
    place = data.draw(st.integers(0, len(entries) - 1))
    del entries[place]
    misfit = verify(entries, head)
    assert misfit is not None
    assert misfit.number == place + 1


@given(TRAILS, st.data())
def test_entries_that_changed_places_are_found(found: tuple[list[Entry], Head], data: st.DataObject) -> None:
    entries, head = found
    order = data.draw(st.permutations(entries))
    assert (verify(order, head) is None) is (order == entries)
    # Renumbering them does not help.
    renumbered = [msgspec.structs.replace(entry, number=n) for n, entry in enumerate(order, 1)]
    assert (verify(renumbered, head) is None) is (order == entries)


@given(TRAILS, ENTRY, st.data())
def test_an_entry_slipped_in_is_found(
    found: tuple[list[Entry], Head], more: Entry, data: st.DataObject
) -> None:
    entries, head = found
    place = data.draw(st.integers(0, len(entries)))
    before = entries[place - 1].hash if place else BEGINNING.hash
    slipped = msgspec.structs.replace(more, number=place + 1)
    slipped = msgspec.structs.replace(slipped, hash=chained(slipped, before))
    assert verify([*entries[:place], slipped, *entries[place:]], head) is not None


@given(TRAILS, st.data())
def test_a_tail_cut_off_together_with_the_head_is_found_by_a_head_noted_elsewhere(
    found: tuple[list[Entry], Head], data: st.DataObject
) -> None:
    entries, head = found
    kept = entries[: data.draw(st.integers(0, len(entries) - 1))]
    forged = Head(kept[-1].number, kept[-1].hash) if kept else BEGINNING
    assert verify(kept, forged) is None
    misfit = verify(kept, forged, noted=head)
    assert misfit is not None
    assert misfit.number == len(kept) + 1


@given(TRAILS, ENTRY)
def test_a_trail_written_anew_is_found_by_a_head_noted_elsewhere(
    found: tuple[list[Entry], Head], other: Entry
) -> None:
    entries, head = found
    forged, forged_head = trail([other, *entries[1:]])
    assert verify(forged, forged_head) is None
    assert (verify(forged, forged_head, noted=head) is None) is (forged == entries)


def test_a_head_is_read_as_it_was_printed() -> None:
    head = Head(412, "0f" * 32)
    assert parse_head(f" {head}\n") == head
    for wrong in ("", "412", "x:" + "0f" * 32, "412:0f"):
        with pytest.raises(BadRequest):
            parse_head(wrong)
    stranger = Head(0, "0f" * 32)
    assert verify([], BEGINNING, stranger) is not None
    assert Actor("user", "ayşe").origin == ""
