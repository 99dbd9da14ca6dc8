"""Web Authentication's details, with an authenticator that answers as no browser would."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tekil.access.passkeys import (
    ANSWER_MAX,
    NewPasskey,
    RelyingParty,
    challenge_of,
    handle_of,
    has_gone_on,
    id_of,
    registration_options,
    request_options,
    verify_assertion,
    verify_registration,
)
from tekil.errors import BadRequest
from tests.authenticator import PRESENT, SYNCABLE, VERIFIED, Authenticator, b64

PARTY = RelyingParty("tekil.example", "https://tekil.example", "Minder Evi")
CHALLENGE = b"c" * 32
OTHER = b"d" * 32


def fresh(**answers: Any) -> tuple[Authenticator, NewPasskey]:
    """An authenticator with a passkey that was registered honestly, and afterwards answers as told."""
    device = Authenticator(PARTY.origin, PARTY.id)
    made = verify_registration(PARTY, CHALLENGE, device.make(asked_new()))
    for name, value in answers.items():
        setattr(device, name, value)
    return device, made


def asked_new(challenge: bytes = CHALLENGE) -> str:
    return registration_options(PARTY, challenge, "ayse", b64(b"handle"), [])


def asked(challenge: bytes = CHALLENGE) -> str:
    return request_options(PARTY, challenge)


def test_a_passkey_is_made_and_shown() -> None:
    device, made = fresh()
    assert (made.id, made.synced) == (b64(device.id), False)
    answer = device.show(asked())
    assert (challenge_of(answer), id_of(answer), handle_of(answer)) == (CHALLENGE, made.id, b64(b"handle"))
    shown = verify_assertion(PARTY, CHALLENGE, answer, made.public_key)
    assert (shown.id, shown.sign_count) == (made.id, 1)


def test_what_is_asked_names_the_house_and_no_person() -> None:
    options = json.loads(registration_options(PARTY, CHALLENGE, "ayse", b64(b"handle"), [b64(b"known")]))
    assert options["rp"] == {"name": "Minder Evi", "id": "tekil.example"}
    assert options["user"]["id"] == b64(b"handle")
    assert [one["id"] for one in options["excludeCredentials"]] == [b64(b"known")]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    requested = json.loads(request_options(PARTY, CHALLENGE, [b64(b"known")]))
    assert (requested["rpId"], requested["userVerification"]) == ("tekil.example", "required")
    assert json.loads(asked())["allowCredentials"] == []


def test_a_passkey_that_may_live_on_several_devices_is_said_to() -> None:
    device = Authenticator(PARTY.origin, PARTY.id, flags=PRESENT | VERIFIED | SYNCABLE)
    assert verify_registration(PARTY, CHALLENGE, device.make(asked_new())).synced


DISHONEST: dict[str, dict[str, Any]] = {
    "another site's page": {"origin": "https://tekil.example.evil.example"},
    "the same host in clear": {"origin": "http://tekil.example"},
    "another port": {"origin": "https://tekil.example:8443"},
    "a page below": {"origin": "https://sub.tekil.example"},
    "another house's passkey": {"rp_id": "evil.example"},
    "nobody there": {"flags": VERIFIED},
    "nobody verified": {"flags": PRESENT},
    "within another site's frame": {"client": {"crossOrigin": True}},
    "an answer to another question": {"client": {"challenge": b64(OTHER)}},
    "an answer of another kind": {"client": {"type": "payment.get"}},
}


@pytest.mark.parametrize("lie", DISHONEST)
def test_a_dishonest_answer_shows_nothing(lie: str) -> None:
    device, made = fresh(**DISHONEST[lie])
    with pytest.raises(BadRequest, match="not accepted"):
        verify_assertion(PARTY, CHALLENGE, device.show(asked()), made.public_key)


@pytest.mark.parametrize("lie", DISHONEST)
def test_a_dishonest_answer_makes_nothing(lie: str) -> None:
    device = Authenticator(PARTY.origin, PARTY.id)
    for name, value in DISHONEST[lie].items():
        setattr(device, name, value)
    with pytest.raises(BadRequest, match="not accepted"):
        verify_registration(PARTY, CHALLENGE, device.make(asked_new()))


def test_another_key_or_a_changed_answer_shows_nothing() -> None:
    device, made = fresh()
    stranger, _ = fresh(id=device.id)
    answers = [
        stranger.show(asked()),
        device.show(asked(), signature=b64(b"0" * 70)),
        device.show(asked(), authenticatorData=b64(b"0" * 37)),
        device.make(asked_new()),
    ]
    for answer in answers:
        with pytest.raises(BadRequest):
            verify_assertion(PARTY, CHALLENGE, answer, made.public_key)


def test_a_counter_goes_on_or_is_never_used() -> None:
    assert has_gone_on(0, 0)
    assert has_gone_on(0, 1)
    assert has_gone_on(7, 8)
    assert not has_gone_on(7, 7)
    assert not has_gone_on(7, 3)
    assert not has_gone_on(7, 0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "rawId", "type", "response"]
RESPONSE = ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]


@given(
    outer=st.dictionaries(st.sampled_from(FIELDS), JSON),
    inner=st.dictionaries(st.sampled_from(RESPONSE), JSON | st.binary(max_size=20).map(b64)),
    nested=st.booleans(),
)
def test_whatever_is_sent_is_refused_and_breaks_nothing(
    outer: dict[str, Any], inner: dict[str, Any], nested: bool
) -> None:
    answer = json.dumps({**outer, **({"response": inner} if nested else {})})
    for look in (challenge_of, id_of, handle_of):
        with contextlib.suppress(BadRequest):
            assert isinstance(look(answer), str | bytes)
    for verify in (
        lambda: verify_registration(PARTY, CHALLENGE, answer),
        lambda: verify_assertion(PARTY, CHALLENGE, answer, b"no key"),
    ):
        with pytest.raises(BadRequest):
            verify()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "null", "[" * 9_000, "x" * (ANSWER_MAX + 1), '{"response": 1}']
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        challenge_of(text)
