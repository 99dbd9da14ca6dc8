"""What is over goes: as planned, on record, and for good; what is not stays as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tekil.definitions import Definition, Written, apply
from tekil.kinds import KINDS
from tekil.privacy import KeyRing
from tekil.privacy.find import Kind
from tekil.retention import Retention
from tekil.store import Entry, open_store
from tekil.store.consent_entries import entry_id
from tekil.verification import verify
from tests.installation import MASTER, NOON, Installation, microseconds
from tests.laws.conftest import Found
from tests.retention.keeping import counts, retention, rules


@pytest.fixture
def place(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    rules(made)
    made.close()


def days_ago(days: float) -> str:
    return (NOON - timedelta(days=days)).isoformat() + "Z"


def track(event: str, days: float, user: str = "u1", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": user, "timestamp": days_ago(days), **more}


def said(place: Installation) -> list[str]:
    rows = place.rows("SELECT event FROM events WHERE type = 'track' ORDER BY occurred_at DESC")
    return [row["event"] for row in rows]


def test_nothing_goes_while_there_is_no_rule(place: Installation) -> None:
    place.say(track("A", 4000))
    place.run()
    assert retention(place).plan() == []
    assert retention(place).run() == []
    assert said(place) == ["A"]


def test_the_plan_changes_nothing_and_the_run_does_what_it_says(place: Installation) -> None:
    place.say(track("A", 10), track("B", 40), track("C", 41), track("D", 42, "u2"))
    place.run()
    rules(place, "{of: events, keep: 30 days}")
    assert counts(place) == {"events": 3}
    assert said(place) == ["A", "B", "C", "D"]
    (entry,) = retention(place).run()
    assert (entry.kind, entry.reason, entry.counts) == ("retention", "r0", {"events": 3})
    assert entry.proof["left"] == 0
    assert said(place) == ["A"]
    assert counts(place) == {"events": 0}
    assert place.person("user_id:u1").as_dict()["events"] == 1
    assert place.store.cards.find("user_id", "u2") is None
    assert verify(place.engine).holds


def test_the_most_particular_rule_decides(place: Installation) -> None:
    place.say(track("Order Completed", 100), track("Seen", 100))
    place.say(track("Order Completed", 101), track("Seen", 5), source="app")
    place.run()
    rules(
        place,
        "{of: events, keep: 30 days}",
        "{of: events, event: Order Completed, keep: 10 years}",
        "{of: events, source: app, keep: 3 days}",
        "{of: events, source: app, event: Order Completed, keep: 50 days}",
    )
    assert [planned.count for planned in retention(place).plan()] == [1, 0, 1, 1]
    retention(place).run()
    assert said(place) == ["Order Completed"]


def test_who_somebody_is_lasts_longer_than_what_they_did(place: Installation) -> None:
    identify = {"type": "identify", "userId": "u1", "traits": {"name": "Ayşe"}, "timestamp": days_ago(400)}
    place.say(identify, track("A", 400), track("B", 1))
    place.run()
    rules(place, "{of: events, keep: 30 days}")
    retention(place).run()
    assert said(place) == ["B"]
    assert place.person("user_id:u1").as_dict()["traits"] == {"name": "Ayşe"}


def test_what_went_does_not_come_back_whoever_says_it_again(place: Installation) -> None:
    old = track("A", 40, messageId="m-1")
    place.say(old, track("B", 1))
    place.run()
    rules(place, "{of: events, keep: 30 days}")
    retention(place).run()
    before = place.knowledge()
    place.say(old, track("Late", 35), sent_at=None, at=place.now)
    place.run()
    assert place.knowledge() == before
    # Nor does it when the rule goes, or another one speaks more particularly of longer.
    rules(place, "{of: events, keep: 10 years}", "{of: events, event: A, keep: 20 years}")
    retention(place).run()
    place.say({**old, "messageId": "m-2"}, track("Older", 300))
    place.run()
    assert place.knowledge() == before
    assert verify(place.engine).holds
    total = place.reads.ledger().total
    assert total.accepted == total.loaded == 6


def test_a_message_replayed_out_of_quarantine_is_gone_at_once_where_its_time_is_over(
    place: Installation,
) -> None:
    place.say({"type": "track", "userId": "u1", "timestamp": days_ago(40), "messageId": "m"})
    place.run()
    rules(place, "{of: events, keep: 30 days}")
    retention(place).run()
    place.say(track("A", 40), {"type": "track"})
    place.run()
    assert said(place) == []
    assert verify(place.engine).holds


def test_people_who_were_not_seen_go_whole(place: Installation) -> None:
    place.say(
        {"type": "identify", "userId": "old", "anonymousId": "a9", "traits": {"email": "eski@example.com"}},
        {"type": "page", "anonymousId": "a9"},
        door="batch",
        at=NOON - timedelta(days=500),
    )
    place.say({"type": "identify", "userId": "new", "traits": {"name": "Can"}})
    place.run()
    rules(place, "{of: people, keep: 13 months}")
    assert counts(place) == {"people": 1}
    (entry,) = retention(place).run()
    assert entry.counts == {"people": 1}
    assert [row["value"] for row in place.rows("SELECT value FROM identity")] == ["new"]
    assert place.rows("SELECT name FROM traits") == [{"name": "name"}]
    assert place.store.cards.find("user_id", "old") is None
    assert verify(place.engine).holds


def test_old_quarantine_goes_and_stays_counted(place: Installation) -> None:
    place.say({"type": "track"}, 5, at=NOON - timedelta(days=100))
    place.say({"type": "track"})
    place.run()
    rules(place, "{of: quarantine, keep: 90 days}")
    assert counts(place) == {"quarantine": 2}
    retention(place).run()
    assert len(place.reads.quarantine()) == 1
    assert place.reads.ledger().total.quarantined == 3
    assert verify(place.engine).holds


def ticket(number: int, days: float, **fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "object": "ticket",
        "key": {"id": number},
        "fields": fields,
        "timestamp": days_ago(days),
        "messageId": f"ticket-{number}-{days}",
    }


def tickets(place: Installation) -> list[int]:
    found = place.rows("SELECT key FROM record_changes WHERE object = 'ticket' ORDER BY key")
    return [json.loads(row["key"])["id"] for row in found]


def test_what_was_said_of_things_goes_by_object_and_names_nobody_any_more(place: Installation) -> None:
    named = {"ticket": {"fields.customer": "user_id", "fields.phone": "phone"}}
    policy = Definition("identity", "identity", spec={"records": named})
    apply(place.store, KINDS, [Written(policy)], author="test")
    old = ticket(1, 400, customer="u1", phone="0532 123 45 67")
    place.say(old, ticket(2, 10, customer="u1"), {**ticket(3, 400), "object": "order"})
    place.say(track("A", 1))
    place.run()
    assert {known.kind for known in place.person("user_id:u1").identifiers} == {"user_id", "phone"}
    rules(place, "{of: records, object: ticket, keep: 13 months}")
    assert counts(place) == {"records": 1}
    (entry,) = retention(place).run()
    assert (entry.counts, entry.proof["left"], entry.proof["object"]) == ({"records": 1}, 0, "ticket")
    assert tickets(place) == [2]
    assert place.rows("SELECT object FROM record_changes WHERE object = 'order'")
    assert {known.kind for known in place.person("user_id:u1").identifiers} == {"user_id"}
    before = place.knowledge()
    # It stays gone, said once more or late.
    place.say(old, ticket(4, 401, customer="u9"))
    place.run()
    assert place.knowledge() == before
    assert verify(place.engine).holds
    apply(place.store, KINDS, [], author="test", prune=True)


def kept_values(place: Installation, *values: tuple[Kind, str]) -> list[str]:
    """Return which of some values the vault has, as masks."""
    tokens = [place.vault.token(*value) for value in values]
    known = place.vault.masked(tokens)
    return [known[token] for token in tokens if token in known]


GIVEN = ("email", "hediye@example.com")
OWN = ("email", "ayse@example.com")


def gift(days: float, address: str = GIVEN[1]) -> dict[str, Any]:
    return track("Gift Sent", days, properties={"to": address})


def test_a_value_leaves_the_vault_with_the_last_row_that_held_it(place: Installation) -> None:
    identify = {"type": "identify", "userId": "u1", "traits": {"email": OWN[1]}, "timestamp": days_ago(400)}
    place.say(identify, gift(40), gift(50), track("Seen", 45, properties={"by": OWN[1]}))
    place.run()
    rules(place, "{of: events, keep: 45 days}")
    retention(place).run()
    # One gift went and one is left, so its address is still needed; so is the trait's.
    assert kept_values(place, GIVEN, OWN) == ["h•••@e•••.com", "a•••@e•••.com"]
    rules(place, "{of: events, keep: 30 days}")
    retention(place).run()
    assert kept_values(place, GIVEN, OWN) == ["a•••@e•••.com"]
    token = place.vault.token(*GIVEN)
    assert not place.rows(f"SELECT * FROM sealed_values WHERE token = '{token}'")
    places = f"SELECT * FROM token_places WHERE token_key = key64('{token}')"
    assert not place.warehouse.query(places).num_rows
    assert not place.rows("SELECT * FROM loosened_tokens")
    # Said anew, it is kept anew.
    place.say(gift(1))
    place.run()
    assert kept_values(place, GIVEN) == ["h•••@e•••.com"]
    assert place.rows(f"SELECT shadow FROM sealed_values WHERE token = '{token}'") == [
        {"shadow": "example.com"}
    ]


def test_a_value_stays_while_a_record_or_a_consent_is_about_it(tmp_path: Path) -> None:
    place = Installation(tmp_path)
    other = ("email", "izinli@example.com")
    place.say(gift(40), gift(40, other[1]), ticket(1, 10, note=f"asks for {GIVEN[1]}"))
    place.run()
    at = microseconds(NOON)
    token = place.vault.token(*other)
    made = entry_id(token, "marketing", "email", True, at, "form")
    place.store.consents.append(
        [Entry(made, "email", token, "marketing", "email", True, at, at, "form", "", "{}", "me")]
    )
    rules(place, "{of: events, keep: 30 days}")
    retention(place).run()
    assert said(place) == []
    assert len(kept_values(place, GIVEN, other)) == 2
    rules(place, "{of: events, keep: 30 days}", "{of: records, object: ticket, keep: 5 days}")
    retention(place).run()
    assert kept_values(place, GIVEN, other) == ["i•••@e•••.com"]
    place.close()


def test_values_that_a_run_did_not_come_to_go_with_the_next(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.say(gift(40))
    place.run()
    rules(place, "{of: events, keep: 30 days}")

    def dies(*_all: object) -> int:
        raise RuntimeError("the machine went down")

    with monkeypatch.context() as patched:
        patched.setattr(place.vault, "forget", dies)
        with pytest.raises(RuntimeError):
            retention(place).run()
    assert said(place) == []
    assert len(kept_values(place, GIVEN)) == 1
    retention(place).run()
    assert kept_values(place, GIVEN) == []


def test_a_day_of_the_log_goes_with_its_key_once_all_of_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = date(2026, 1, 10)
    monkeypatch.setattr("tekil.privacy.keys.utc_today", lambda: day)
    place = Installation(tmp_path)
    keys = KeyRing(place.store.data_keys, MASTER)
    for n in range(3):
        day = date(2026, 1, 10) + timedelta(days=n)
        place.say(track("A", 1, f"u{n}"), at=datetime(2026, 1, 10 + n, 12))
    rules(place, "{of: log, keep: 30 days}")
    assert counts(place) == {"log": 4}  # A key for the day that comes is made beforehand.
    keeping = Retention(place.engine, keys, clock=lambda: place.now)
    # Nothing was loaded yet, so only the key that nothing was sealed with can go.
    assert keeping.run()[0].counts == {"log": 1}
    place.run()
    (entry,) = keeping.run()
    assert entry.counts == {"log": 2}
    # The last body stays until another follows, and with it the key that reads it.
    assert [table.num_rows for table in place.log.replay()] == [1]
    assert [key.purpose for key in place.store.data_keys.all() if "log " in key.purpose] == ["log 2026-01-12"]
    assert len(said(place)) == 3
    assert verify(place.engine).holds
    place.close()


def test_what_people_decided_long_ago_goes_from_the_store(place: Installation) -> None:
    def entry(days: int, given: bool) -> Entry:
        at = microseconds(NOON - timedelta(days=days))
        made = entry_id("t", "marketing", "email", given, at, "form")
        return Entry(made, "email", "t", "marketing", "email", given, at, at, "form", "", '{"ip":"x"}', "me")

    place.store.consents.append([entry(1900, True), entry(1500, False), entry(10, True)])
    place.store.users.create_first()
    rules(
        place, "{of: consents, keep: 3 years}", "{of: requests, keep: 3 years}", "{of: sessions, keep: 1 day}"
    )
    assert counts(place) == {"consents": 1, "requests": 0, "sessions": 0}
    retention(place).run()
    assert [one.proof for one in place.store.consents.of(["t"])] == ["{}", '{"ip":"x"}', '{"ip":"x"}']
    assert [total.given for total in place.store.consents.totals()] == [1]


def test_a_run_that_was_broken_off_is_told_of_and_finished(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tekil.retention.data.PEOPLE_AT_ONCE", 2)
    place.say(*(track("A", 40, f"u{n}") for n in range(5)))
    place.run()
    rules(place, "{of: events, keep: 30 days}")
    broken = retention(place)
    broken.ask()
    assert [broken.step(), broken.step(), broken.is_running] == [True, True, True]
    assert len(said(place)) == 3
    (entry,) = retention(place).run()
    assert (entry.counts, entry.proof["left"], said(place)) == ({"events": 3}, 0, [])
    (first,) = [one for one in broken.runs(2) if one.id != entry.id]
    assert (first.counts, first.proof) == ({"events": 5}, {"broken_off": True})
    assert not place.store.destructions.unfinished("retention")
    assert verify(place.engine).holds


def test_the_rules_run_once_a_day_and_when_somebody_asks(place: Installation) -> None:
    keeping = retention(place)
    rules(place, "{of: events, keep: 30 days}")
    place.engine.chores.append(keeping.step)
    while place.engine._do_chores():
        pass
    place.say(track("A", 40))
    place.run()
    # Its floor is there, so it was gone on arrival; what is over later waits for the next day.
    place.say(track("B", 29.6))
    place.run()
    place.pass_time(hours=23)
    assert not place.engine._do_chores()
    assert said(place) == ["B"]
    place.pass_time(hours=1)
    while place.engine._do_chores():
        pass
    assert said(place) == []
    assert len(keeping.runs()) >= 1
    keeping.ask()
    assert keeping.is_running
    place.engine.chores.clear()


def test_the_store_of_the_rules_is_told_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="kept whole"):
        rules(_Bare(tmp_path), "{of: audit, keep: 1 year}")
    with pytest.raises(Exception, match="three years"):
        rules(_Bare(tmp_path), "{of: consents, keep: 2 years}")
    with pytest.raises(Exception, match="no span"):
        rules(_Bare(tmp_path), "{of: log, keep: forever}")
    with pytest.raises(Exception, match="says already"):
        rules(_Bare(tmp_path), "{of: log, keep: 1 day}", "{of: log, keep: 2 days}")
    with pytest.raises(Exception, match="says whose"):
        rules(_Bare(tmp_path), "{of: records, keep: 1 day}")
    with pytest.raises(Exception, match="as long as they do"):
        rules(_Bare(tmp_path), "{of: records, object: identity_assertion, keep: 1 day}")
    with pytest.raises(Exception, match="Only events"):
        rules(_Bare(tmp_path), "{of: log, source: web, keep: 1 day}")


class _Bare:
    def __init__(self, folder: Path) -> None:
        self.store = open_store(f"sqlite:///{folder / 'store.db'}")
