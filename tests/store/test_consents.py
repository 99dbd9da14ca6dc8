"""The ledger as it is kept, in every database."""

from __future__ import annotations

import threading

from tekil.store import Store
from tekil.store.consent_entries import OBSERVED, Entry, entry_id

DAY = 86_400 * 1_000_000


def entry(token: str, at: int, given: bool, by: str = "", channel: str = "email") -> Entry:
    made = entry_id(token, "marketing", channel, given, at, by)
    return Entry(made, "email", token, "marketing", channel, given, at, at, by, recorded_by=by)


def test_entries_are_read_by_token_in_the_order_of_choices(store: Store) -> None:
    late, early, other = entry("a", 9, False), entry("a", 3, True), entry("b", 1, True)
    assert store.consents.append([late, other]) == 2
    assert store.consents.append([early, late]) == 1
    assert store.consents.append([]) == 0
    assert store.consents.of(["a"]) == [early, late]
    assert store.consents.of(["a", "b"]) == [other, early, late]
    assert store.consents.of([]) == []
    assert store.consents.newest(2) == [late, early]


def test_totals_and_days_count_valid_consents_whatever_came_late(store: Store) -> None:
    store.consents.append([entry("a", 5 * DAY, True), entry("b", 5 * DAY + 1, True)])
    store.consents.append([entry("a", 7 * DAY, False), entry("a", 7 * DAY, True)])
    assert [(c.day, c.change) for c in store.consents.changes()] == [(5, 2), (7, -1)]
    store.consents.append([entry("a", 2 * DAY, True)])
    assert {c.day: c.change for c in store.consents.changes() if c.change} == {2: 1, 5: 1, 7: -1}
    assert [(t.purpose, t.channel, t.given) for t in store.consents.totals()] == [("marketing", "email", 1)]


def test_what_messages_say_is_kept_when_it_changes(store: Store) -> None:
    said = [entry("a", at, True, OBSERVED) for at in (1, 2, 3)]
    assert store.consents.observe(said).entries == 1
    assert store.consents.observe(said).entries == 0
    assert (
        store.consents.observe([entry("a", 4, False, OBSERVED), entry("b", 4, True, OBSERVED)]).entries == 2
    )
    assert [(e.at, e.given) for e in store.consents.of(["a"])] == [(1, True), (4, False)]
    assert store.consents.observe([entry("c", 9, True, OBSERVED)] * 2).entries == 1


def test_only_the_latest_word_of_somebody_is_told_to_be_that(store: Store) -> None:
    assert store.consents.observe([entry("a", 5, True, OBSERVED)]).latest == {"a"}
    assert store.consents.observe([entry("a", 5, False, OBSERVED), entry("b", 1, True, OBSERVED)]).latest == {
        "b"
    }
    assert store.consents.observe([entry("a", 3, True, OBSERVED, "web")]).latest == frozenset()


def test_a_late_message_makes_a_repeated_choice_news(store: Store) -> None:
    store.consents.observe([entry("a", 1, True, OBSERVED), entry("a", 5, True, OBSERVED)])
    store.consents.observe([entry("a", 3, False, OBSERVED)])
    assert [(e.at, e.given) for e in store.consents.of(["a"])] == [(1, True), (3, False), (5, True)]


def test_many_may_add_at_once_and_no_change_is_lost(store: Store) -> None:
    def add(number: int) -> None:
        for at in range(5):
            store.consents.append([entry("a", 10 * at + number, at % 2 == 0, str(number))])
            store.consents.append([entry(f"own-{number}", at, True)])

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.consents.of(["a"])) == 20
    assert [t.given for t in store.consents.totals()] == [5]


def test_the_text_that_was_shown_is_kept_under_its_version(store: Store) -> None:
    store.consents.keep_text("v1", "You allow us")
    store.consents.keep_text("v1", "something else")
    assert store.consents.text("v1") == "You allow us"
    assert store.consents.text("v2") is None
