"""Sources with their write keys (who may send), and API keys with their scopes (who may read)."""

from __future__ import annotations

import hashlib
import re
import secrets
import string

import msgspec
from sqlalchemy import RowMapping, insert, select, update

from tekil.errors import BadRequest, NotFound
from tekil.store.clock import Begin, now_us
from tekil.store.tables import api_keys, sources, write_keys

SCOPES = (
    "profiles:read",
    "events:read",
    "ledger:read",
    "sql:read",
    "sources:write",
    "engine:run",
    "consents:read",
    "consents:write",
    "requests:read",
)
"""What an API key may be allowed to do. `*` stands for all of them."""

KEY_LETTERS = string.ascii_letters + string.digits
KEY_LENGTH = 32
"""Write keys look like Segment's: a key that began with - would be an option to a shell's commands."""

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Source(msgspec.Struct, frozen=True):
    """Something that sends. `created_at` in microseconds since the epoch."""

    name: str
    enabled: bool
    created_at: int


class WriteKey(msgspec.Struct, frozen=True):
    """A key that lets its holder send as a source. It is no secret where a browser sends."""

    key: str
    source: str
    enabled: bool
    created_at: int


class ApiKey(msgspec.Struct, frozen=True):
    """A key that lets its holder read, by scope. Only its hash is kept."""

    id: str
    name: str
    scopes: frozenset[str]
    created_at: int
    revoked: bool

    def allows(self, scope: str) -> bool:
        """Return whether the key holds `scope`, or all scopes."""
        return not self.revoked and ("*" in self.scopes or scope in self.scopes)


class Keys:
    """Reads and writes of sources and keys."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def create_write_key(self, source: str) -> WriteKey:
        """Make a new write key, and the source too where it is new.

        Raises `BadRequest` for a name that is not lower-case letters, digits, `-` and `_`.
        """
        if not SOURCE_NAME.fullmatch(source):
            raise BadRequest(
                f"{source!r} cannot name a source: use up to 63 lower-case letters, digits, - and _, "
                "for example web-shop.",
                code="source_name_invalid",
            )
        text = "".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH))
        key = WriteKey(text, source, True, now_us())
        with self._begin() as connection:
            known = connection.execute(select(sources.c.name).where(sources.c.name == source)).first()
            if known is None:
                connection.execute(
                    insert(sources).values(name=source, enabled=True, created_at=key.created_at)
                )
            connection.execute(
                insert(write_keys).values(key=key.key, source=source, created_at=key.created_at)
            )
        return key

    def set_source_enabled(self, source: str, enabled: bool) -> None:
        """Let a source send, or no longer. Raises `NotFound` where there is none of that name."""
        with self._begin() as connection:
            change = update(sources).where(sources.c.name == source).values(enabled=enabled)
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"There is no source named {source!r}.", code="source_unknown")

    def revoke_write_key(self, key: str) -> None:
        """Make a write key worthless from now on. Raises `NotFound` where there is none."""
        with self._begin() as connection:
            change = update(write_keys).where(write_keys.c.key == key).values(revoked_at=now_us())
            if connection.execute(change).rowcount == 0:
                raise NotFound("There is no such write key.", code="write_key_unknown")

    def sources(self) -> list[Source]:
        """Return all sources by name."""
        with self._begin() as connection:
            return [Source(*row) for row in connection.execute(select(sources).order_by(sources.c.name))]

    def write_keys(self) -> list[WriteKey]:
        """Return the write keys that are not revoked; `enabled` is their source's."""
        query = (
            select(write_keys.c.key, write_keys.c.source, sources.c.enabled, write_keys.c.created_at)
            .join(sources, sources.c.name == write_keys.c.source)
            .where(write_keys.c.revoked_at.is_(None))
            .order_by(write_keys.c.created_at)
        )
        with self._begin() as connection:
            return [WriteKey(*row) for row in connection.execute(query)]

    def create_api_key(self, name: str, scopes: list[str]) -> tuple[ApiKey, str]:
        """Make an API key; return it and its secret text, which is shown this once.

        Raises `BadRequest` for a scope that does not exist.
        """
        for scope in scopes:
            if scope != "*" and scope not in SCOPES:
                raise BadRequest(
                    f"There is no scope {scope!r}. There are: {', '.join(SCOPES)}, and * for all.",
                    code="scope_unknown",
                )
        secret = f"tk_{secrets.token_urlsafe(32)}"
        key = ApiKey(secrets.token_hex(8), name, frozenset(scopes), now_us(), False)
        with self._begin() as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    name=name,
                    hash=_hash(secret),
                    scopes=" ".join(sorted(scopes)),
                    created_at=key.created_at,
                )
            )
        return key, secret

    def find_api_key(self, secret: str) -> ApiKey | None:
        """Return the API key whose secret this is, revoked or not, or nothing."""
        with self._begin() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.hash == _hash(secret))).first()
        return None if row is None else _api_key(row._mapping)

    def api_keys(self) -> list[ApiKey]:
        """Return all API keys, oldest first."""
        with self._begin() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at))
            return [_api_key(row._mapping) for row in rows]

    def revoke_api_key(self, key_id: str) -> None:
        """Make an API key worthless from now on. Raises `NotFound` where there is none."""
        with self._begin() as connection:
            change = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now_us())
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"There is no API key {key_id!r}.", code="api_key_unknown")


def _hash(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash cannot be guessed back; no salt is needed.
    return hashlib.sha256(secret.encode()).hexdigest()


def _api_key(row: RowMapping) -> ApiKey:
    return ApiKey(
        row["id"],
        row["name"],
        frozenset(row["scopes"].split()),
        row["created_at"],
        row["revoked_at"] is not None,
    )
