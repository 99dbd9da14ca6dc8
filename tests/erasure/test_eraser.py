"""Stories: somebody is erased, and neither late words nor the log read again bring them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tekil.access.audit import SYSTEM
from tekil.definitions import Definition, Written, apply, parse
from tekil.erasure import Eraser
from tekil.errors import NotFound
from tekil.kinds import KINDS
from tekil.load import Chosen, replay
from tekil.models import audience_model, feature_model
from tekil.verification import check_ledger, verify
from tests.installation import Installation, microseconds

AYSE: list[dict[str, Any]] = [
    {"type": "page", "anonymousId": "ayse-browser", "messageId": "1"},
    {
        "type": "identify",
        "userId": "ayse-1907",
        "anonymousId": "ayse-browser",
        "messageId": "2",
        "traits": {"email": "ayse@example.com", "phone": "0532 123 45 67", "name": "Ayşe Yılmaz"},
    },
    {
        "type": "track",
        "event": "Order Completed",
        "userId": "ayse-1907",
        "messageId": "3",
        "properties": {"total": 12.5, "note": "for ayse@example.com"},
    },
]
BERK: list[dict[str, Any]] = [
    {
        "type": "identify",
        "userId": "berk-1453",
        "messageId": "4",
        "traits": {"email": "berk@example.com", "name": "Ayşe Yılmaz"},
    },
    {
        "type": "track",
        "event": "Invited",
        "userId": "berk-1453",
        "messageId": "5",
        "properties": {"friend": "ayse@example.com"},
    },
]
TRACES = ("ayse@example.com", "ayse-1907", "ayse-browser", "5321234567")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()


def erase(installation: Installation, reference: str, **told: Any) -> Any:
    eraser = Eraser(installation.engine, clock=lambda: microseconds(installation.now))
    return eraser.apply(reference, SYSTEM, **told)


def in_log(installation: Installation) -> str:
    return " ".join(body for table in installation.log.replay() for body in table["body"].to_pylist())


def left(installation: Installation) -> list[str]:
    """Return what is left of Ayşe, in the log or in any table's text."""
    tables = [table.name for table in installation.engine.tables]
    told = in_log(installation) + repr([installation.rows(f"SELECT * FROM {name}") for name in tables])
    token = installation.vault.token("email", "ayse@example.com")
    return [trace for trace in (*TRACES, token) if trace in told]


def test_nothing_is_left_in_what_definitions_make(installation: Installation) -> None:
    features = {"friend": "last(properties.friend)", "n": "count(*)"}
    defined = [Definition("feature", name, {}, "", {"sql": sql}) for name, sql in features.items()]
    defined.append(Definition("audience", "many", {}, "", {"sql": "n > 0"}))
    engine = Installation(
        Path(),
        store=installation.store,
        warehouse=installation.warehouse,
        vault=installation.vault,
        log=installation.log,
        defined=lambda found: [feature_model(found, "UTC"), audience_model(found)],
    )
    apply(engine.store, KINDS, [Written(definition) for definition in defined], author="test")
    engine.say(*AYSE, *BERK)
    engine.run()
    people = "SELECT count(*) AS n FROM features JOIN audiences USING (person_key) WHERE many"
    assert engine.rows(people) == [{"n": 2}]
    assert left(engine) != []
    erase(engine, "user_id:ayse-1907")
    assert engine.rows(people) == [{"n": 1}]
    assert left(engine) == []
    assert verify(engine.engine).holds


def test_a_person_goes_and_others_stay(installation: Installation) -> None:
    installation.say(*AYSE, *BERK)
    installation.say(
        {"type": "record", "object": "deal", "key": {"id": 7}, "fields": {"customer_id": "ayse-1907"}}
    )
    installation.say({"type": "dance", "userId": "ayse-1907", "messageId": "6"}, AYSE[2])
    installation.run()
    plan = Eraser(installation.engine).plan("email:ayse@example.com", SYSTEM)
    assert plan.counts == {
        "log": 7,
        "warehouse.events": 3,
        "warehouse.traits": 3,
        "warehouse.record_changes": 1,
        "warehouse.quarantine": 1,
        "warehouse.events of others": 1,
        "vault": 2,
        "store.cards": 1,
        "store.identifiers": 4,
    }
    assert ("email", "a•••@e•••.com") in plan.identifiers
    assert left(installation) != []

    proof = erase(installation, "phone:05321234567", reason="request 7")
    assert proof.found == 0, proof.checked
    assert left(installation) == []
    assert installation.person("user_id:berk-1453").as_dict()["traits"]["name"] == "Ayşe Yılmaz"
    assert "berk@example.com" in in_log(installation)
    with pytest.raises(NotFound):
        installation.person("user_id:ayse-1907")
    assert verify(installation.engine).holds
    ledger = installation.rows("SELECT loaded, quarantined, duplicate, erased FROM ledger")
    assert ledger == [{"loaded": 7, "quarantined": 0, "duplicate": 1, "erased": 5}]
    kept = installation.store.destructions.newest(reason="request 7")[0]
    assert kept.done_at is not None
    assert kept.proof["signature"] == proof.signature != ""
    assert not any(trace in repr(kept) for trace in TRACES)


def test_late_words_are_inert_and_new_ones_are_a_new_persons(installation: Installation) -> None:
    installation.say(*AYSE)
    installation.run()
    erase(installation, "user_id:ayse-1907")
    before = installation.now - timedelta(hours=1)
    installation.pass_time(hours=1)
    late = {**AYSE[1], "messageId": "8", "timestamp": f"{before.isoformat()}Z"}
    installation.say(
        late, {"type": "dance", "userId": "ayse-1907", "timestamp": f"{before.isoformat()}Z"}, *BERK[:1]
    )
    about = {**BERK[1], "timestamp": f"{before.isoformat()}Z"}
    installation.say(about)
    installation.run()
    assert left(installation) == []
    assert (
        installation.store.sealed_values.get_many([installation.vault.token("email", "ayse@example.com")])
        == []
    )
    assert verify(installation.engine).holds
    counted = installation.rows("SELECT loaded, quarantined, erased FROM ledger")
    assert counted == [{"loaded": 7, "quarantined": 0, "erased": 5}]

    installation.say({**AYSE[1], "messageId": "9"})
    installation.run()
    assert installation.person("email:ayse@example.com").as_dict()["events"] == 1
    assert verify(installation.engine).holds


def test_the_log_read_again_into_an_empty_warehouse_brings_nobody_back(
    installation: Installation, tmp_path: Path
) -> None:
    installation.say(*AYSE, *BERK, AYSE[0])
    installation.run()
    erase(installation, "user_id:ayse-1907")
    (tmp_path / "again").mkdir()
    again = Installation(tmp_path / "again")
    for table in installation.log.replay():
        for row in table.to_pylist():
            again.say(*_messages(row["body"]))
    again.run()
    assert left(again) == []
    assert again.rows("SELECT loaded, erased FROM ledger") == [{"loaded": 6, "erased": 4}]
    assert check_ledger(again.engine) == []
    again.close()


def _messages(body: str) -> list[Any]:
    import json

    found: list[Any] = json.loads(body)["batch"]
    return found


def test_what_was_mended_and_said_again_leaves_its_first_place_in_the_log_too(
    installation: Installation,
) -> None:
    installation.say(
        {"type": "dance", "userId": "ayse-1907", "messageId": "7", "traits": {"email": "ayse@example.com"}}
    )
    installation.run()
    mended = '{"type":"identify","userId":"ayse-1907","messageId":"7"}'
    replay(
        installation.log,
        installation.warehouse,
        installation.vault,
        Chosen(),
        now=installation.now,
        mended=mended,
    )
    installation.run()
    assert in_log(installation).count("ayse-1907") == 2
    proof = erase(installation, "user_id:ayse-1907")
    assert (proof.found, left(installation)) == (0, [])
    assert verify(installation.engine).holds


def test_an_erasure_that_a_crash_cut_off_is_gone_on_with(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.say(*AYSE, *BERK)
    installation.run()

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(installation.engine, "amend", fail)
        with pytest.raises(KeyboardInterrupt):
            erase(installation, "user_id:ayse-1907")
    begun = installation.store.destructions.unfinished("erasure")
    assert len(begun) == 1
    (proof,) = Eraser(installation.engine, clock=lambda: microseconds(installation.now)).resume()
    assert (proof.found, left(installation)) == (0, [])
    assert installation.store.destructions.unfinished("erasure") == []
    assert verify(installation.engine).holds


def test_nobody_is_erased_twice_and_whoever_was_can_be_looked_for(installation: Installation) -> None:
    installation.say(*AYSE)
    installation.run()
    eraser = Eraser(installation.engine)
    with pytest.raises(NotFound):
        eraser.prove("user_id:ayse-1907", SYSTEM)
    erase(installation, "user_id:ayse-1907")
    with pytest.raises(NotFound):
        erase(installation, "user_id:ayse-1907")
    assert eraser.prove("email:ayse@example.com", SYSTEM).found == 0


def test_who_is_named_by_an_external_id_alone_is_known_again(installation: Installation) -> None:
    loyal: dict[str, Any] = {"externalIds": [{"id": "ayse@example.com", "type": "email"}]}
    installation.say(*AYSE, *BERK)
    installation.run()
    erase(installation, "user_id:ayse-1907")
    before, values = installation.knowledge(), installation.store.sealed_values.count()
    late = {"type": "page", "timestamp": "2026-01-01T00:00:00Z", "context": loyal}
    installation.say({**late, "anonymousId": "till-7", "messageId": "late"})
    installation.run()
    assert installation.knowledge() == before
    assert installation.store.sealed_values.count() == values
    assert "ayse@example.com" not in in_log(installation)
    assert check_ledger(installation.engine) == []
    # What is said from now on is news, of somebody new.
    installation.pass_time(minutes=1)
    installation.say({"type": "page", "anonymousId": "till-7", "context": loyal, "messageId": "new"})
    installation.run()
    assert installation.rows("SELECT count(*) AS n FROM identity WHERE value = 'till-7'") == [{"n": 1}]


def test_an_address_that_others_claim_too_names_nobody_any_more(installation: Installation) -> None:
    claimed = {"type": "identify", "userId": "cem", "messageId": "7", "traits": {"email": "ayse@example.com"}}
    by_id = [{"id": "ayse@example.com", "type": "email"}, {"id": "cem@example.com", "type": "email"}]
    named = {"type": "page", "userId": "cem", "messageId": "8", "context": {"externalIds": by_id}}
    hers = {**AYSE[1], "anonymousId": None}
    installation.say(*AYSE, *BERK, claimed, named, *({**hers, "messageId": f"hers-{n}"} for n in range(3)))
    installation.run()
    erase(installation, "user_id:ayse-1907")
    assert left(installation) == []
    (told,) = installation.rows("SELECT email FROM events WHERE message_id = '7'")
    assert told == {"email": None}
    assert not installation.rows(
        "SELECT 1 FROM identity WHERE value = 'erased' OR strpos(value, 'erased') > 0"
    )
    assert verify(installation.engine).differences == []


@pytest.mark.parametrize("visited", [True, False])
def test_whoever_is_only_somebodys_previous_id_is_erased_all_the_same(
    installation: Installation, visited: bool
) -> None:
    if visited:
        installation.say({"type": "page", "anonymousId": "a1", "messageId": "seen"})
    # Said of the user id `a1`, as far as evidence knows; it names the visitor as well.
    installation.say({"type": "alias", "userId": "u1", "previousId": "a1", "messageId": "alias"})
    installation.run()
    assert erase(installation, "anonymous_id:a1").found == 0
    assert "a1" not in in_log(installation)
    assert not installation.rows("SELECT 1 FROM events WHERE previous_id = 'a1'")
    assert not installation.rows("SELECT 1 FROM identity WHERE value = 'a1'")
    assert verify(installation.engine).differences == []


def test_whoever_is_named_by_a_plain_id_in_a_declared_field_goes_from_there_too(
    installation: Installation,
) -> None:
    event = """
kind: event
name: Friend Invited
spec:
  fields:
    properties.invited_by: {type: text, pii: other}
    properties.total: {type: number}
"""
    apply(installation.store, KINDS, parse(event), author="test")
    invited = {
        "type": "track",
        "event": "Friend Invited",
        "properties": {"invited_by": "ayse-7", "total": 1.5},
    }
    installation.say({"type": "track", "event": "Seen", "userId": "ayse-7"})
    installation.say({**invited, "userId": "berk", "messageId": "first"})
    installation.say({**invited, "userId": "berk", "properties": {"invited_by": "can-9"}})
    installation.run()
    assert "ayse-7" in in_log(installation)
    assert erase(installation, "user_id:ayse-7").found == 0
    told = installation.rows("SELECT CAST(properties AS JSON) AS said FROM events WHERE message_id = 'first'")
    assert json.loads(told[0]["said"]) == {"invited_by": "erased", "total": 1.5}
    assert "ayse-7" not in in_log(installation)
    assert "can-9" in in_log(installation)
    # Said late, it is silent as well; said anew, she is somebody again.
    late = (installation.now - timedelta(days=1)).isoformat() + "Z"
    installation.say({**invited, "userId": "berk", "messageId": "late", "timestamp": late})
    installation.run()
    (row,) = installation.rows(
        "SELECT CAST(properties AS JSON) AS said FROM events WHERE message_id = 'late'"
    )
    assert json.loads(row["said"])["invited_by"] == "erased"
    assert "ayse-7" not in in_log(installation)
    assert verify(installation.engine).differences == []
    apply(installation.store, KINDS, [], author="test", prune=True)


def test_of_a_tablet_that_a_family_shares_only_ones_own_turns_go(installation: Installation) -> None:
    tablet = {"anonymousId": "tablet"}
    for number, (name, shown) in enumerate([("ayse", "towels"), ("berk", "curtains")]):
        installation.say({"type": "page", **tablet, "messageId": f"seen-{name}", "properties": {"x": shown}})
        installation.pass_time(hours=1)
        installation.say(
            {"type": "identify", "userId": name, **tablet, "messageId": f"in-{name}", "traits": {"a": number}}
        )
        installation.run()
        installation.pass_time(days=2)
    owned = "SELECT DISTINCT person_key FROM ownership"
    assert len(installation.rows(owned)) >= 2
    proof = erase(installation, "user_id:ayse")
    assert proof.found == 0
    kept = installation.rows("SELECT message_id, user_id, anonymous_id FROM events ORDER BY message_id")
    assert [row["message_id"] for row in kept] == ["in-berk", "seen-berk"]
    assert "towels" not in in_log(installation)
    assert "curtains" in in_log(installation)
    (berk,) = installation.rows("SELECT person_id, events FROM profile")
    assert berk["events"] == 2
    assert verify(installation.engine).differences == []
    assert check_ledger(installation.engine) == []
    # What she said on it does not become his by being said once more, whenever it says that it was.
    for when in ({}, {"timestamp": "2099-01-01T00:00:00Z"}):
        installation.say(
            {"type": "page", **tablet, "messageId": "seen-ayse", "properties": {"x": "towels"}, **when}
        )
        installation.run()
    (berk,) = installation.rows("SELECT person_id, events FROM profile")
    assert berk["events"] == 2
    assert "towels" not in in_log(installation)
    assert check_ledger(installation.engine) == []
    # The tablet was hers for a while, and is nobody's sign: what he goes on doing on it counts.
    installation.say({"type": "page", **tablet, "messageId": "later"})
    installation.run()
    (berk,) = installation.rows("SELECT person_id, events FROM profile")
    assert berk["events"] == 3
