"""Pages: how entries are put together, and how a body is found again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tekil.log import Entry
from tekil.log.pages import (
    BODIES_MAX,
    SIZE_MAX,
    count,
    decode_page,
    encode_page,
    place_of,
    position_of,
    split,
)


def entry(size: int, source: str = "web", messages: int = 1) -> Entry:
    return Entry(source, "track", 1, messages, b"x" * size)


@given(st.integers(1, 1 << 49), st.integers(0, BODIES_MAX - 1))
def test_a_position_names_one_place_of_one_page(page: int, place: int) -> None:
    assert place_of(position_of(page, place)) == (page, place)
    assert position_of(page, place) < position_of(page + 1, 0)


@given(st.lists(st.sampled_from([0, 10, SIZE_MAX // 3, SIZE_MAX - 1, SIZE_MAX, SIZE_MAX + 1]), max_size=9))
def test_pages_hold_everything_in_order_and_end_at_a_size(sizes: list[int]) -> None:
    entries = [entry(size) for size in sizes]
    pages = list(split(entries))
    assert [one for page in pages for one in page] == entries
    assert all(page for page in pages)
    assert all(len(page) == 1 or sum(len(one.body) for one in page) <= SIZE_MAX for page in pages)


def test_a_page_holds_so_many_bodies_and_no_more() -> None:
    entries = [entry(0)] * (BODIES_MAX + 1)
    assert [len(page) for page in split(entries)] == [BODIES_MAX, 1]
    assert list(split([])) == []


def test_a_page_is_read_as_it_was_written_and_counted_by_source() -> None:
    entries = [
        Entry("mağaza", "batch", -1, 2, b'{"\xc5\x9f":"\\u0000"}'),
        entry(3, "web"),
        entry(0, "web", 4),
    ]
    assert decode_page(encode_page(entries)) == entries
    assert count(entries) == {"mağaza": 2, "web": 5}
