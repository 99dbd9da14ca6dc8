"""Sources with their write keys (who may send), and API keys with their scopes (who may read)."""

from __future__ import annotations

import hashlib
import re
import secrets
import string

import msgspec
from sqlalchemy import RowMapping, bindparam, insert, select, update

from tekil.access.audit import SYSTEM, Act, Actor
from tekil.access.policy import Condition, Permission
from tekil.errors import BadRequest, NotFound
from tekil.store.accounts import read_condition, write_condition
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.tables import api_keys, sources, write_keys

SCOPES = tuple(str(permission) for permission in Permission)
"""What an API key may be allowed to do. `*` stands for all of them."""

KEY_LETTERS = string.ascii_letters + string.digits
KEY_LENGTH = 32
"""Write keys look like Segment's: a key that began with - would be an option to a shell's commands."""

KEY_SHOWN = 6
"""How much of a write key the audit trail holds: enough to tell a source's keys apart."""

HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US
USE_NOTED_US = 60 * 1_000_000

OWN_SOURCES = "tekil-"
"""How the names of sources begin by which Tekil itself speaks: they outrank others, so nobody gets a key."""

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


_FIND_API_KEY = select(api_keys).where(
    (api_keys.c.hash == bindparam("hashed"))
    | ((api_keys.c.previous_hash == bindparam("hashed")) & (api_keys.c.previous_until > bindparam("at")))
)
"""Asked with every request, so made once."""


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
    expires_at: int | None = None
    last_used_at: int | None = None
    condition: Condition | None = None
    previous_until: int | None = None

    @property
    def expired(self) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= now_us()

    def allows(self, scope: str) -> bool:
        """Return whether the key holds `scope`, or all scopes."""
        good = not self.revoked and not self.expired
        return good and ("*" in self.scopes or scope in self.scopes)


class Keys:
    """Reads and writes of sources and keys."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def create_write_key(self, source: str, by: Actor = SYSTEM) -> WriteKey:
        """Make a new write key, and the source too where it is new.

        Raises `BadRequest` for a name that is not lower-case letters, digits, `-` and `_`.
        """
        if not SOURCE_NAME.fullmatch(source):
            raise BadRequest(
                f"{source!r} cannot name a source: use up to 63 lower-case letters, digits, - and _, "
                "for example web-shop.",
                code="source_name_invalid",
            )
        if source.startswith(OWN_SOURCES):
            raise BadRequest(
                f"Sources whose names begin with {OWN_SOURCES} are Tekil's own; choose another name.",
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
                record(connection, by, Act.SOURCE_CREATED, "source", source)
            connection.execute(
                insert(write_keys).values(key=key.key, source=source, created_at=key.created_at)
            )
            record(connection, by, Act.WRITE_KEY_CREATED, "source", source, key=key.key[:KEY_SHOWN])
        return key

    def set_source_enabled(self, source: str, enabled: bool, by: Actor = SYSTEM) -> None:
        """Let a source send, or no longer. Raises `NotFound` where there is none of that name."""
        with self._begin() as connection:
            change = update(sources).where(sources.c.name == source).values(enabled=enabled)
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"There is no source named {source!r}.", code="source_unknown")
            record(connection, by, Act.SOURCE_ENABLED if enabled else Act.SOURCE_DISABLED, "source", source)

    def revoke_write_key(self, key: str, by: Actor = SYSTEM) -> None:
        """Make a write key worthless from now on. Raises `NotFound` where there is none."""
        with self._begin() as connection:
            change = update(write_keys).where(write_keys.c.key == key).values(revoked_at=now_us())
            source = connection.execute(change.returning(write_keys.c.source)).scalar()
            if source is None:
                raise NotFound("There is no such write key.", code="write_key_unknown")
            record(connection, by, Act.WRITE_KEY_REVOKED, "source", source, key=key[:KEY_SHOWN])

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

    def create_api_key(
        self,
        name: str,
        scopes: list[str],
        by: Actor = SYSTEM,
        *,
        lasts_us: int | None = None,
        condition: Condition | None = None,
    ) -> tuple[ApiKey, str]:
        """Make an API key; return it and its secret text, which is shown this once.

        `lasts_us` is how long it works, for ever without; `condition` narrows whose profiles it reads.
        Raises `BadRequest` for a scope that does not exist.
        """
        for scope in scopes:
            if scope != "*" and scope not in SCOPES:
                raise BadRequest(
                    f"There is no scope {scope!r}. There are: {', '.join(SCOPES)}, and * for all.",
                    code="scope_unknown",
                )
        secret, now = _new_secret(), now_us()
        expires_at = None if lasts_us is None else now + lasts_us
        known = frozenset(scopes)
        key = ApiKey(secrets.token_hex(8), name, known, now, False, expires_at, condition=condition)
        with self._begin() as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    name=name,
                    hash=hash_secret(secret),
                    scopes=" ".join(sorted(scopes)),
                    created_at=key.created_at,
                    expires_at=expires_at,
                    condition=write_condition(condition),
                )
            )
            rule = str(condition) if condition else None
            record(
                connection,
                by,
                Act.KEY_CREATED,
                "key",
                key.id,
                scopes=tuple(sorted(scopes)),
                expires_at=expires_at,
                condition=rule,
            )
        return key, secret

    def find_api_key(self, secret: str) -> ApiKey | None:
        """Return the API key whose secret this is, revoked or not, or nothing.

        The secret from before a rotation finds it too, for as long as the rotation said.
        """
        asked = {"hashed": hash_secret(secret), "at": now_us()}
        with self._begin() as connection:
            row = connection.execute(_FIND_API_KEY, asked).first()
        return None if row is None else api_key_of(row._mapping)

    def note_use(self, key: ApiKey) -> None:
        """Note that a key was used just now; at most once a minute, because a note is a write."""
        now = now_us()
        if key.last_used_at is None or key.last_used_at < now - USE_NOTED_US:
            with self._begin() as connection:
                used = update(api_keys).where(api_keys.c.id == key.id)
                connection.execute(used.values(last_used_at=now))

    def rotate_api_key(self, key_id: str, overlap_us: int, by: Actor = SYSTEM) -> str:
        """Give a key a new secret, shown this once; the old one works for `overlap_us` microseconds more.

        Raises `NotFound` where there is no such key, or it was revoked.
        """
        secret = _new_secret()
        change = (
            update(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            .values(
                previous_hash=api_keys.c.hash, previous_until=now_us() + overlap_us, hash=hash_secret(secret)
            )
        )
        with self._begin() as connection:
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"There is no API key {key_id!r} that works.", code="api_key_unknown")
            hours = overlap_us // HOUR_US
            record(connection, by, Act.KEY_ROTATED, "key", key_id, hours=hours)
        return secret

    def api_keys(self) -> list[ApiKey]:
        """Return all API keys, oldest first."""
        with self._begin() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at))
            return [api_key_of(row._mapping) for row in rows]

    def revoke_api_key(self, key_id: str, by: Actor = SYSTEM) -> None:
        """Make an API key worthless from now on. Raises `NotFound` where there is none."""
        with self._begin() as connection:
            change = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now_us())
            if connection.execute(change).rowcount == 0:
                raise NotFound(f"There is no API key {key_id!r}.", code="api_key_unknown")
            record(connection, by, Act.KEY_REVOKED, "key", key_id)


def _new_secret() -> str:
    return f"tk_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """Return what the store keeps of a secret."""
    # The secret has 256 random bits, so a plain hash cannot be guessed back; no salt is needed.
    return hashlib.sha256(secret.encode()).hexdigest()


def api_key_of(row: RowMapping) -> ApiKey:
    """Return a row of the keys' table as a key."""
    return ApiKey(
        row["id"],
        row["name"],
        frozenset(row["scopes"].split()),
        row["created_at"],
        row["revoked_at"] is not None,
        row["expires_at"],
        row["last_used_at"],
        read_condition(row["condition"]),
        row["previous_until"],
    )
