"""The audit trail's rules: what an entry is, how it is written down, and how entries hold each other.

Each entry carries the SHA-256 of the entry before it and of its own canonical bytes. Whoever changes,
removes, adds or moves one breaks the chain at that place. Cutting off the end breaks nothing in the entries
left, so the number and the hash of the last one (the `Head`) are kept apart from them, and a head that was
noted elsewhere (printed, mailed, put in a safe) can be held against the trail later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from tekil.errors import BadRequest


class Act(StrEnum):
    """Everything that is ever put on record. A new kind of act is added here first."""

    SIGNED_IN = "session.started"
    SIGN_IN_FAILED = "session.refused"
    SIGN_IN_LOCKED = "session.locked"
    SIGNED_OUT = "session.ended"
    WRITE_KEY_CREATED = "write_key.created"
    WRITE_KEY_REVOKED = "write_key.revoked"
    SOURCE_CREATED = "source.created"
    SOURCE_ENABLED = "source.enabled"
    SOURCE_DISABLED = "source.disabled"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    TOKEN_ISSUED = "token.issued"
    KEY_ROTATED = "key.rotated"
    USER_CREATED = "user.created"
    USER_ENABLED = "user.enabled"
    USER_DISABLED = "user.disabled"
    USER_ROLES_SET = "user.roles_set"
    PASSWORD_CHANGED = "user.password_changed"
    PASSWORD_RESET = "user.password_reset"
    SECOND_FACTOR_ON = "second_factor.on"
    SECOND_FACTOR_OFF = "second_factor.off"
    SECOND_FACTOR_WRONG = "second_factor.refused"
    RECOVERY_CODE_USED = "second_factor.recovered"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    PASSKEY_REFUSED = "passkey.refused"
    PASSKEY_SUSPECT = "passkey.suspect"
    IDENTITY_LINKED = "identity.linked"
    CONNECTION_SET = "connection.set"
    CONNECTION_AUTHORISED = "connection.authorised"
    CONNECTION_TESTED = "connection.tested"
    CONNECTION_DISABLED = "connection.disabled"
    CONNECTION_ENABLED = "connection.enabled"
    CONNECTION_REMOVED = "connection.removed"
    EXPORTED = "person.exported"
    RECTIFIED = "person.rectified"
    CONSENT_RECORDED = "consent.recorded"
    REQUEST_CHANGED = "request.changed"
    DEFINITION_CHANGED = "definition.changed"
    QUARANTINE_REPLAYED = "quarantine.replayed"
    IDENTITY_SAID = "identity.said"
    REVEALED = "profile.revealed"
    RETENTION_RUN = "retention.run"
    VAULT_ROTATED = "vault.rotated"
    ERASURE_PLANNED = "erasure.planned"
    ERASURE_APPLIED = "erasure.applied"
    ERASURE_PROVEN = "erasure.proven"
    WAREHOUSE_SWEPT = "warehouse.swept"
    SQL_RUN = "sql.run"
    ENGINE_REBUILT = "engine.rebuilt"
    ENGINE_VERIFIED = "engine.verified"


class Actor(msgspec.Struct, frozen=True):
    """Who does something: a user or an API key by name or id, or the system. `origin` is their address."""

    kind: Literal["user", "key", "system"]
    name: str
    origin: str = ""


SYSTEM = Actor("system", "tekil")
"""Tekil itself, where nobody asked."""

Detail = str | int | bool | None | tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """One act on record. `at` is microseconds since the epoch; `details` is canonical JSON text."""

    number: int
    at: int
    actor_kind: str
    actor: str
    origin: str
    act: str
    object_kind: str
    object_id: str
    details: str
    hash: str = ""


class Head(msgspec.Struct, frozen=True):
    """The last entry's number and hash. Written `412:9f86…`, to be noted outside."""

    number: int
    hash: str

    def __str__(self) -> str:
        """Return the head as it is noted."""
        return f"{self.number}:{self.hash}"


BEGINNING = Head(0, hashlib.sha256(b"tekil audit trail").hexdigest())
"""The head of a trail without entries."""


class Misfit(msgspec.Struct, frozen=True):
    """The first place where a trail is not as it was written: an entry's number, and what is wrong."""

    number: int
    reason: str


def details_text(details: dict[str, Detail]) -> str:
    """Return details as canonical JSON: names in order, no space, so that equal details are equal bytes.

    A detail that is nothing is left out.
    """
    told = {name: value for name, value in details.items() if value is not None}
    return msgspec.json.encode(told, order="deterministic").decode()


def chained(entry: Entry, previous: str) -> str:
    """Return the hash of an entry that follows the one whose hash is `previous`."""
    # A JSON array of the fields in order: where one ends and the next begins can never be mistaken.
    fields = [
        entry.number,
        entry.at,
        entry.actor_kind,
        entry.actor,
        entry.origin,
        entry.act,
        entry.object_kind,
        entry.object_id,
        entry.details,
    ]
    return hashlib.sha256(previous.encode() + b"\n" + msgspec.json.encode(fields)).hexdigest()


def verify(
    entries: Iterable[Entry], head: Head, noted: Head | None = None, *, after: Head = BEGINNING
) -> Misfit | None:
    """Walk entries in their order; return the first that does not fit, or nothing where all do.

    `head` is what the store keeps apart; `noted` is a head written down earlier, outside. The walk begins
    `after` an entry that was found to fit before.
    """
    last = after
    if noted is not None and noted.number == 0 and noted != BEGINNING:
        return Misfit(0, "the noted head is none of this trail's")
    for entry in entries:
        if entry.number != last.number + 1:
            return Misfit(last.number + 1, f"it is missing: entry {entry.number} stands in its place")
        if entry.hash != chained(entry, last.hash):
            return Misfit(entry.number, "it, or one before it, is not what was written")
        last = Head(entry.number, entry.hash)
        if noted is not None and noted.number == last.number and noted.hash != last.hash:
            return Misfit(last.number, "it is not what it was when its hash was noted")
    if last.number < head.number:
        return Misfit(last.number + 1, f"it is missing: there should be {head.number} entries")
    if last != head:
        return Misfit(last.number, "it was written past the trail's end")
    if noted is not None and noted.number > last.number:
        return Misfit(last.number + 1, f"it is missing: entry {noted.number} was there when it was noted")
    return None


def parse_head(text: str) -> Head:
    """Read a head as it was noted. Raises `BadRequest` for any other text."""
    found = re.fullmatch(r"(\d{1,15}):([0-9a-f]{64})", text.strip())
    if found is None:
        raise BadRequest(
            "A noted head is a number, a colon and 64 hexadecimal digits, as `tekil audit verify` prints it.",
            code="audit_head_invalid",
        )
    return Head(int(found.group(1)), found.group(2))
