"""Passkeys by W3C's Web Authentication, level 3: what browsers are asked, and whether their answers are good.

The cryptography is py_webauthn's. Here is what it leaves open: every passkey verifies its user (a finger, a
face, a PIN), so that each is two factors in one; and none answers from within another site's frame.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tekil.errors import BadRequest

ANSWER_MAX = 16_384
VERIFIED = UserVerificationRequirement.REQUIRED


class RelyingParty(msgspec.Struct, frozen=True):
    """Who asks for passkeys: the host they are bound to, the origin of its pages, and a name to show."""

    id: str
    origin: str
    name: str


class NewPasskey(msgspec.Struct, frozen=True):
    """A passkey that a browser has just made. `synced` says that it may live on several devices."""

    id: str
    public_key: bytes
    sign_count: int
    synced: bool


class Assertion(msgspec.Struct, frozen=True):
    """A browser's proof that it holds a passkey: whose, by id, and what the authenticator counts."""

    id: str
    sign_count: int


def registration_options(
    party: RelyingParty, challenge: bytes, user_name: str, handle: str, known: Sequence[str]
) -> str:
    """Return what a browser is asked to make, as JSON. `known` are the ids the user has already."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_name=user_name,
        user_id=base64url_to_bytes(handle),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
    )
    return webauthn.options_to_json(options)


def request_options(party: RelyingParty, challenge: bytes, known: Sequence[str] = ()) -> str:
    """Return what a browser is asked to prove, as JSON; without `known`, by any passkey it has for us."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
        user_verification=VERIFIED,
    )
    return webauthn.options_to_json(options)


def challenge_of(answer: str) -> bytes:
    """Return the challenge that an answer claims to be to. Raises `BadRequest` where it is no answer."""
    try:
        return base64url_to_bytes(str(_client_data(_read(answer))["challenge"]))
    except (KeyError, ValueError, TypeError) as error:
        raise unreadable() from error


def id_of(answer: str) -> str:
    """Return the id of the passkey that an answer claims to be of, in its one spelling."""
    try:
        return bytes_to_base64url(base64url_to_bytes(str(_read(answer)["id"])))
    except (KeyError, ValueError, TypeError) as error:
        raise unreadable() from error


def handle_of(answer: str) -> str:
    """Return the handle of the user that a passkey says it is of; empty where it says none."""
    return str(_read(answer).get("response", {}).get("userHandle") or "")


def verify_registration(party: RelyingParty, challenge: bytes, answer: str) -> NewPasskey:
    """Return the passkey that a browser made. Raises `BadRequest` where the answer is not good."""
    found = _verified(
        answer,
        lambda told: webauthn.verify_registration_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        ),
    )
    synced = found.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    key_id = bytes_to_base64url(found.credential_id)
    return NewPasskey(key_id, found.credential_public_key, found.sign_count, synced)


def verify_assertion(party: RelyingParty, challenge: bytes, answer: str, public_key: bytes) -> Assertion:
    """Return what a passkey proved. Raises `BadRequest` where the answer is not good.

    Whether its counter has gone on is for whoever keeps the last count: only a proof that is genuine but for
    its counter says that there are two of the passkey.
    """
    found = _verified(
        answer,
        lambda told: webauthn.verify_authentication_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        ),
    )
    return Assertion(bytes_to_base64url(found.credential_id), found.new_sign_count)


def has_gone_on(before: int, now: int) -> bool:
    """Return whether a counter may follow another. Many authenticators do not count and always say 0."""
    return now > before or (now == 0 and before == 0)


def _verified(answer: str, verify: Callable[[dict[str, Any]], Any]) -> Any:
    told = _read(answer)
    try:
        if _client_data(told).get("crossOrigin") is True:
            raise unreadable()
        return verify(told)
    # What a stranger sends may break a parser in ways that its authors did not foresee.
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise unreadable() from error


def _read(answer: str) -> dict[str, Any]:
    try:
        told = json.loads(answer) if len(answer) <= ANSWER_MAX else None
    except (ValueError, RecursionError) as error:
        raise unreadable() from error
    if not isinstance(told, dict) or not isinstance(told.get("response"), dict):
        raise unreadable()
    return told


def _client_data(told: dict[str, Any]) -> dict[str, Any]:
    try:
        data = json.loads(base64url_to_bytes(str(told["response"]["clientDataJSON"])))
    except (KeyError, ValueError, RecursionError) as error:
        raise unreadable() from error
    if not isinstance(data, dict):
        raise unreadable()
    return data


def unreadable() -> BadRequest:
    """Return the one refusal of a passkey: what exactly was wrong helps only whoever forges them."""
    return BadRequest("The passkey was not accepted. Please try again.", code="passkey_refused")
