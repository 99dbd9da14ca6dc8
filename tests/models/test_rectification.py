"""What is wrong about a person is put right by saying so; an objection is found by who must respect it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tekil.errors import BadRequest
from tekil.privacy.desk import Desk
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.links import Links
from tekil.privacy.purposes import DEFAULT_PURPOSES
from tekil.privacy.rectification import SOURCE, Rectification
from tekil.privacy.tokens import Tokens
from tekil.store import Card
from tekil.verification import verify
from tests.installation import Installation, microseconds
from tests.laws.conftest import Found

EMAIL = ("email", "ayse@example.com")


@pytest.fixture
def place(found: Found) -> Iterator[Installation]:
    made = found()
    made.say(
        {"type": "identify", "userId": "u1", "traits": {"email": EMAIL[1], "city": "Izmr", "age": 41}},
        {"type": "page", "anonymousId": "a9"},
    )
    made.run()
    made.pass_time(minutes=1)
    yield made
    made.close()


@pytest.fixture
def right(place: Installation) -> Rectification:
    return Rectification(place.log, lambda: microseconds(place.now))


@pytest.fixture
def desk(place: Installation, right: Rectification) -> Desk:
    ledger = ConsentLedger(
        place.store,
        Tokens(place.vault),
        Links(lambda: bytes(32)),
        DEFAULT_PURPOSES,
        lambda: microseconds(place.now),
    )
    return Desk(ledger, "Europe/Istanbul", lambda: microseconds(place.now), right)


def kept(place: Installation, user: str = "u1") -> Card:
    card = place.store.cards.find("user_id", user)
    assert card is not None
    return card


def test_a_correction_outranks_what_is_said_later(place: Installation, right: Rectification) -> None:
    right.correct(kept(place), "city", "İzmir")
    right.correct(kept(place), "age", "42")
    place.run()
    place.pass_time(days=1)
    place.say({"type": "identify", "userId": "u1", "traits": {"city": "Izmr", "age": 41}}, source="crm")
    place.run()
    known = place.person("user_id:u1").as_dict()
    assert (known["traits"]["city"], known["traits"]["age"]) == ("İzmir", 42)
    assert known["trait_sources"]["city"]["source"] == SOURCE
    assert verify(place.engine).holds
    place.engine.rebuild()
    assert place.person("user_id:u1").as_dict()["traits"] == known["traits"]
    assert len(place.rows("SELECT 1 AS one FROM traits WHERE name = 'city'")) == 3, "nothing was edited"


def test_what_is_corrected_is_sealed_like_everything_else(place: Installation, right: Rectification) -> None:
    right.correct(kept(place), "email", "ayse.yilmaz@example.com")
    place.run()
    assert "ayse.yilmaz" not in str(place.rows("SELECT value FROM traits"))
    assert (
        place.person("email:ayse.yilmaz@example.com").as_dict()["traits"]["email"]
        == "ayse.yilmaz@example.com"
    )


@pytest.mark.parametrize(
    ("name", "text"), [("", "x"), ("a.b", "x"), ("1", "x"), ("a", "x" * 1001), ("a", "\0")]
)
def test_what_can_be_no_correction_is_refused(
    place: Installation, right: Rectification, name: str, text: str
) -> None:
    with pytest.raises(BadRequest):
        right.correct(kept(place), name, text)
    with pytest.raises(BadRequest):
        right.correct(Card("p1", "{}", 0), "city", "x")


def test_nobody_gets_a_key_to_speak_as_tekil(place: Installation) -> None:
    with pytest.raises(BadRequest, match="own"):
        place.store.keys.create_write_key(SOURCE)


def test_the_desk_corrects_for_those_whose_identity_is_verified(place: Installation, desk: Desk) -> None:
    request = desk.create("rectification", EMAIL, channel="email", created_by="ayla", notes="city is wrong")
    with pytest.raises(BadRequest):
        desk.correct(request.id, "city", "İzmir")
    desk.set_identity(request.id, "verified")
    desk.correct(request.id, "city", "İzmir")
    place.run()
    assert place.person("email:ayse@example.com").as_dict()["traits"]["city"] == "İzmir"
    assert desk.requests.get(request.id).notes == "city is wrong\n\ncity ✓"
    other = desk.create("access", EMAIL, channel="email", created_by="ayla")
    desk.set_identity(other.id, "verified")
    with pytest.raises(BadRequest):
        desk.correct(other.id, "city", "İzmir")


def test_an_objection_is_a_relation_that_audiences_can_leave_out(place: Installation, desk: Desk) -> None:
    assert place.rows("SELECT * FROM objections") == []
    request = desk.create("objection", EMAIL, channel="email", created_by="ayla")
    desk.set_identity(request.id, "verified")
    desk.close(request.id, "granted", "", "ayla")
    place.run()
    assert [row["person_id"] for row in place.rows("SELECT * FROM objections")] == [kept(place).person_id]
    # A site that says otherwise later does not undo what was said at the desk.
    place.pass_time(days=1)
    place.say({"type": "identify", "userId": "u1", "traits": {"profiling_objection": False}})
    # And it stays with the person whoever they turn out to be.
    place.say({"type": "identify", "userId": "u1", "anonymousId": "a9"})
    place.run()
    (row,) = place.rows("SELECT * FROM objections")
    assert row["person_id"] == place.person("anonymous_id:a9").person_id
    entries = desk.ledger.entries([EMAIL])
    assert [(entry.purpose, entry.given) for entry in entries] == [("profiling", False)]


def test_what_people_type_is_sealed_before_it_is_kept(
    place: Installation, desk: Desk, tmp_path: Path
) -> None:
    written = "Beni 0532 123 45 67 numarasından ya da ayse@example.com adresinden arayın."
    request = desk.create("withdrawal", EMAIL, channel="email", created_by="ayla", notes=written)
    notes = desk.requests.get(request.id).notes
    assert "ayse@" not in notes
    assert "532 123" not in notes
    assert desk.ledger.tokens.shown(notes).startswith("Beni +90")
    assert "a•••@" in desk.ledger.tokens.shown(notes)
    entry = desk.ledger.record(
        *EMAIL, "marketing", "email", True, source="form", recorded_by="me",
        proof={"from": "ayse@example.com", "row": ["x", {"tel": "+905321234567"}], "n": 5},
    )  # fmt: skip
    assert "ayse@" not in entry.proof
    assert "+90532" not in entry.proof
    assert '"n": 5' in entry.proof
    desk.set_identity(request.id, "verified")
    desk.close(request.id, "granted", "Told her at ayse@example.com", "ayla")
    assert "ayse@" not in desk.requests.get(request.id).notes
