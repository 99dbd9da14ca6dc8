"""Access tokens: what a service gets for its API key, good for an hour (OAuth 2.0's client credentials)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select

from tekil.access.audit import Act, Actor
from tekil.errors import BadRequest
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.keys import SCOPES, ApiKey, api_key_of, hash_secret
from tekil.store.tables import access_tokens, api_keys

TOKEN_PREFIX = "ta_"
LASTS_SECONDS = 3600


class Tokens:
    """Reads and writes of access tokens. Only their hashes are kept."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def issue(self, key: ApiKey, scopes: Sequence[str], address: str = "") -> tuple[str, list[str]]:
        """Return a new token for a key and the scopes it holds: those asked for, or all of the key's.

        Raises `BadRequest` for a scope that the key does not hold.
        """
        held = [scope for scope in SCOPES if key.allows(scope)]
        granted = sorted(set(scopes)) or held
        if missing := [scope for scope in granted if scope not in held]:
            raise BadRequest(f"The key does not hold the scope {missing[0]}.", code="scope_not_held")
        token, now = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}", now_us()
        expires_at = min(now + LASTS_SECONDS * 1_000_000, key.expires_at or 2**62)
        with self._begin() as connection:
            connection.execute(delete(access_tokens).where(access_tokens.c.expires_at <= now))
            connection.execute(
                insert(access_tokens).values(
                    hash=hash_secret(token),
                    key_id=key.id,
                    scopes=" ".join(granted),
                    expires_at=expires_at,
                )
            )
            by = Actor("key", key.id, address)
            record(connection, by, Act.TOKEN_ISSUED, "key", key.id, scopes=tuple(granted))
        return token, granted

    def find(self, token: str) -> ApiKey | None:
        """Return the key that a token stands for, with the token's scopes and end, or nothing.

        Whatever narrows, ends or revokes the key does so to its tokens.
        """
        query = (
            select(
                api_keys, access_tokens.c.scopes.label("granted"), access_tokens.c.expires_at.label("ends")
            )
            .join(access_tokens, access_tokens.c.key_id == api_keys.c.id)
            .where(access_tokens.c.hash == hash_secret(token), access_tokens.c.expires_at > now_us())
        )
        with self._begin() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        key = api_key_of(row)
        granted = frozenset(scope for scope in row["granted"].split() if key.allows(scope))
        ends = min(row["ends"], key.expires_at or row["ends"])
        return msgspec.structs.replace(key, scopes=granted, expires_at=ends)
