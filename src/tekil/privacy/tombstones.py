"""Who was erased: known again by keyed hashes, so that nothing said before is ever loaded again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tekil.messages import hashed_identifier
from tekil.privacy.keys import decrypt, encrypt
from tekil.privacy.vault import Vault
from tekil.store.tombstones import Tombstone, TombstoneRows

SCHEMA = pa.schema([("identifier_key", pa.int64()), ("erased_at", pa.timestamp("us"))])

_EPOCH = datetime(1970, 1, 1)

Identifier = tuple[str, str]
"""A kind, and a value as the tables hold it: of an e-mail address or a phone number its token."""

MESSAGE = "message id"
"""The kind of a tombstone for one message, which no identifier's kind can be, as kinds have no spaces."""


def message_identifier(source: str, message_id: str) -> Identifier:
    """Return what a message is known again by: of a device that goes on, only what was said goes."""
    return MESSAGE, f"{source}:{message_id}"


class Tombstones:
    """The identifiers of all who were erased, with the instant until which messages about them are inert.

    At rest each is an HMAC-SHA256 under a key of its own, and the 64-bit key that messages are compared
    by, sealed: without the installation's keys neither says whose it is.
    """

    def __init__(self, erased: Mapping[int, int]) -> None:
        """Take identifier key → microseconds since the epoch (UTC)."""
        self._erased = dict(erased)

    def __bool__(self) -> bool:
        """Return whether anybody was ever erased."""
        return bool(self._erased)

    def table(self) -> pa.Table:
        """Return them as rows: `identifier_key`, `erased_at`."""
        at = pa.array(list(self._erased.values()), pa.int64()).cast(pa.timestamp("us"))
        return pa.Table.from_arrays([pa.array(list(self._erased), pa.int64()), at], schema=SCHEMA)

    def silences(self, kind: str, value: str, said_at: datetime | None) -> bool:
        """Return whether a message said at an instant (UTC) that names an identifier is inert."""
        erased_at = self._erased.get(hashed_identifier(kind, value))
        return erased_at is not None and (said_at is None or microseconds(said_at) <= erased_at)

    def has_token(self, token: str) -> bool:
        """Return whether a token stands for an identifier of somebody who was erased."""
        return hashed_identifier(token.partition("~")[0], token) in self._erased

    def silences_token(self, token: str, said_at: datetime) -> bool:
        """Return whether a token in a message said at an instant (UTC) is of somebody erased since."""
        return self.silences(token.partition("~")[0], token, said_at)


def microseconds(instant: datetime) -> int:
    """Return an instant (UTC without a zone) in microseconds since the epoch."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(at: int) -> datetime:
    """Return the instant (UTC without a zone) of so many microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=at)


class Graveyard:
    """Sets tombstones, and reads them."""

    def __init__(self, kept: TombstoneRows, vault: Vault) -> None:
        """Take where they are kept, and the vault, whose keys they are made with."""
        self._kept, self._vault = kept, vault

    def hash(self, identifier: Identifier) -> str:
        """Return the keyed hash that an erased identifier is known by: 64 hexadecimal digits."""
        key = self._vault.key("erasure hashes")
        return hmac.digest(key, ":".join(identifier).encode(), hashlib.sha256).hex()

    def sign(self, content: bytes) -> str:
        """Return the keyed hash of a proof."""
        return hmac.digest(self._vault.key("erasure proofs"), content, hashlib.sha256).hex()

    def set(self, identifiers: Iterable[Identifier], erased_at: int, destruction: str) -> None:
        """Set the tombstones of a person's identifiers, on disk when this returns."""
        cipher = self._cipher()
        stones = []
        for identifier in identifiers:
            name = self.hash(identifier)
            key = hashed_identifier(*identifier).to_bytes(8, "little")
            stones.append(Tombstone(name, erased_at, encrypt(cipher, key, name.encode()), destruction))
        self._kept.set(stones)

    def read(self) -> Tombstones:
        """Return all tombstones, opened."""
        return Tombstones({self._opened(stone): stone.erased_at for stone in self._kept.all()})

    def of_destruction(self, destruction: str) -> dict[int, int]:
        """Return identifier key → instant of the tombstones that one erasure set."""
        return {self._opened(s): s.erased_at for s in self._kept.of_destruction(destruction)}

    def find(self, identifier: Identifier) -> Tombstone | None:
        """Return the tombstone of an identifier, where it is somebody's who was erased."""
        return self._kept.get(self.hash(identifier))

    def _opened(self, stone: Tombstone) -> int:
        return int.from_bytes(decrypt(self._cipher(), stone.sealed, stone.hash.encode()), "little")

    def _cipher(self) -> AESGCM:
        return AESGCM(self._vault.key("tombstones"))
