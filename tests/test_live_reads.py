"""What the console and the API read: timelines page by page, people by what one remembers of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tekil.errors import BadRequest, NotFound
from tekil.live_reads import LiveReads
from tekil.reads import MovedPerson
from tests.installation import NOON, Installation
from tests.laws.conftest import Found


@pytest.fixture
def installation(found: Found) -> Iterator[Installation]:
    made = found()
    yield made
    made.close()


@pytest.fixture
def reads(installation: Installation) -> LiveReads:
    return installation.reads


def test_pages_hold_every_event_once_newest_first_even_at_the_same_instant(
    installation: Installation, reads: LiveReads
) -> None:
    for number in range(17):
        at = (NOON - timedelta(minutes=number // 5)).isoformat() + "Z"
        installation.say({"type": "track", "event": str(number), "userId": "u1", "timestamp": at})
    installation.run()
    person = reads.profile("user_id:u1").person_id
    whole = reads.timeline(person, limit=100)
    assert len(whole.events) == 17
    assert whole.next is None
    seen, cursor = [], None
    while True:
        page = reads.timeline(person, cursor=cursor, limit=4)
        seen += page.events
        if (cursor := page.next) is None:
            break
        assert len(page.events) == 4
    assert seen == whole.events
    assert [e.occurred_at for e in seen] == sorted((e.occurred_at for e in seen), reverse=True)
    assert reads.timeline("nobody").events == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00_",
        "2026-01-01T00:00:00Z_1",
        f"2026-01-01_{'9' * 40}",
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(
    installation: Installation, reads: LiveReads, cursor: str
) -> None:
    installation.say({"type": "track", "event": "A", "userId": "u1"})
    installation.run()
    with pytest.raises(BadRequest):
        reads.timeline(reads.profile("user_id:u1").person_id, cursor=cursor)


def test_people_are_found_by_the_beginning_of_what_is_not_sealed_and_by_the_whole_of_what_is(
    installation: Installation, reads: LiveReads
) -> None:
    for number, (email, phone) in enumerate(
        [("irem@example.com", "0532 123 45 67"), ("suna@example.com", "12")]
    ):
        installation.say(
            {"type": "identify", "userId": f"U{number}", "traits": {"email": email, "phone": phone}}
        )
        installation.pass_time(minutes=1)
    installation.run()

    def found(text: str) -> list[str]:
        return [str(card.as_dict()["traits"]["email"]) for card in reads.people(text)]

    irem, suna = "i•••@e•••.com", "s•••@e•••.com"
    assert found("") == found("U") == [suna, irem]
    assert found(" İREM@Example.com") == found("0 (532) 123-45-67") == [irem]
    assert found("U1") == [suna]
    assert found("irem") == found("nobody") == found("\0") == []
    assert reads.people_count() == 2


def test_a_merged_away_person_leads_on_and_nobody_is_explained(
    installation: Installation, reads: LiveReads
) -> None:
    installation.say({"type": "page", "anonymousId": "a1"})
    installation.pass_time(minutes=1)
    installation.say({"type": "page", "userId": "u1"})
    installation.run()
    kept, gone = (reads.profile(name).person_id for name in ("anonymous_id:a1", "user_id:u1"))
    installation.say({"type": "page", "userId": "u1", "anonymousId": "a1"})
    installation.run()
    with pytest.raises(MovedPerson) as moved:
        reads.profile(gone)
    assert moved.value.person_id == kept == reads.profile("user_id: u1").person_id
    for nobody in ("user_id:nobody", "email:no address", "pnobody", "tail:long"):
        with pytest.raises(NotFound):
            reads.profile(nobody)


def test_the_ledger_counts_what_waits_and_why_what_was_put_aside(
    installation: Installation, reads: LiveReads
) -> None:
    assert reads.ledger().total.accepted == 0
    installation.say({"type": "track", "userId": "u1"}, {"type": "dance"}, source="app")
    installation.run()
    installation.say({"type": "page", "userId": "u1"}, source="web")
    ledger = reads.ledger()
    assert (ledger.total.accepted, ledger.total.quarantined, ledger.total.waiting) == (3, 2, 1)
    app, web = ledger.sources
    assert app.reasons == {"event_missing": 1, "type_unknown": 1, "identifier_missing": 1}
    assert (web.accepted, web.waiting, web.last_received) == (1, 1, None)
    assert [row.reasons for row in reads.quarantine("app", limit=1)] == ["type_unknown,identifier_missing"]
    assert reads.quarantine("web") == []


def test_arrivals_and_freshness_are_of_what_was_loaded(installation: Installation, reads: LiveReads) -> None:
    assert reads.freshness().p99 is None
    installation.say({"type": "track", "event": "A", "userId": "u1"})
    installation.pass_time(seconds=2)
    installation.run()
    (arrival,) = reads.arrivals()
    assert (arrival.event, arrival.source) == ("A", "web")
    assert arrival.person_id == reads.profile("user_id:u1").person_id
    assert (reads.freshness().p50, reads.freshness().messages) == (2.0, 1)
    reads.ready()


def test_only_one_select_is_ever_run(reads: LiveReads) -> None:
    assert reads.sql("SELECT $1 AS a, $2 AS b", [1, "x"]).to_pylist() == [{"a": 1, "b": "x"}]
    for statement in (
        "DELETE FROM events",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM read_text('/etc/hostname')",
    ):
        with pytest.raises(BadRequest):
            reads.sql(statement)
