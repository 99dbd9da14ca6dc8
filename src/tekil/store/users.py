"""People who may sign in to the console, and their sessions."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, func, insert, select

from tekil.access.audit import SYSTEM, Act, Actor
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.tables import sessions, users

SESSION_LENGTH_US = 12 * 3600 * 1_000_000
"""How long a sign-in lasts."""


class User(msgspec.Struct, frozen=True):
    """Somebody who may sign in."""

    name: str
    created_at: int


class Users:
    """Reads and writes of users and their sessions."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin
        self._hasher = PasswordHasher()
        # Verified when the name is unknown, so that a wrong name takes as long as a wrong password.
        self._nobody = self._hasher.hash(secrets.token_hex())

    def create_first(self, name: str = "admin") -> str | None:
        """Make the first user and return their password, shown this once; nothing where users exist."""
        password = secrets.token_urlsafe(12)
        hashed = self._hasher.hash(password)
        with self._begin() as connection:
            if connection.execute(select(func.count()).select_from(users)).scalar_one():
                return None
            connection.execute(insert(users).values(name=name, password_hash=hashed, created_at=now_us()))
            record(connection, SYSTEM, Act.USER_CREATED, "user", name)
        return password

    def sign_in(self, name: str, password: str, origin: str = "") -> str | None:
        """Return a new session's token if the password is right, nothing if not."""
        with self._begin() as connection:
            row = connection.execute(select(users.c.password_hash).where(users.c.name == name)).first()
        try:
            self._hasher.verify(self._nobody if row is None else row.password_hash, password)
        except VerificationError:
            self._refuse(name if row else "", origin)
            return None
        if row is None:
            return None
        token = secrets.token_urlsafe(32)
        with self._begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at < now_us()))
            connection.execute(
                insert(sessions).values(
                    token_hash=_hash(token), user_name=name, expires_at=now_us() + SESSION_LENGTH_US
                )
            )
            record(connection, Actor("user", name, origin), Act.SIGNED_IN, "user", name)
        return token

    def _refuse(self, known_name: str, origin: str) -> None:
        # What was typed for a name nobody has may be a password in the wrong field, so it is not kept.
        with self._begin() as connection:
            record(connection, Actor("system", "sign-in", origin), Act.SIGN_IN_FAILED, "user", known_name)

    def find_session(self, token: str) -> User | None:
        """Return who a session's token belongs to, or nothing where it is unknown or over."""
        query = (
            select(users.c.name, users.c.created_at)
            .join(sessions, sessions.c.user_name == users.c.name)
            .where(sessions.c.token_hash == _hash(token), sessions.c.expires_at > now_us())
        )
        with self._begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else User(*row)

    def sign_out(self, token: str, origin: str = "") -> None:
        """End a session. An unknown token is no error."""
        ended = delete(sessions).where(sessions.c.token_hash == _hash(token)).returning(sessions.c.user_name)
        with self._begin() as connection:
            name = connection.execute(ended).scalar()
            if name is not None:
                record(connection, Actor("user", name, origin), Act.SIGNED_OUT, "user", name)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
