"""Sessions: who is signed in, since when, from where, and when they last showed a second factor."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from tekil.access.audit import Act, Actor
from tekil.errors import NotFound
from tekil.store.accounts import User, select_users, user_of
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.tables import sessions, users

SESSION_LENGTH_US = 12 * 3600 * 1_000_000
"""How long a sign-in lasts at most."""

IDLE_US = 3600 * 1_000_000
"""How long a session lasts without a request by a person."""

TOUCH_US = 60 * 1_000_000
"""How exact it is kept when somebody was last seen: a request a second need not be a write a second."""


class Session(msgspec.Struct, frozen=True):
    """One sign-in. Instants are microseconds; `second_factor_at` is when one was last shown."""

    id: str
    user_name: str
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    second_factor_at: int | None


class Sessions:
    """Reads and writes of sessions."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def find(self, token: str, *, idle_us: int = IDLE_US, touch: bool = False) -> tuple[User, Session] | None:
        """Return whose session a token is, and the session; nothing where it is unknown or over.

        `touch` says that a person asked, not a page that keeps itself up to date.
        """
        now = now_us()
        query = (
            select_users(*(column.label(f"session_{column.name}") for column in sessions.c))
            .join(sessions, sessions.c.user_name == users.c.name)
            .where(
                sessions.c.token_hash == token_hash(token),
                sessions.c.expires_at > now,
                sessions.c.seen_at > now - idle_us,
                users.c.disabled_at.is_(None),
            )
        )
        with self._begin() as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            session = Session(*(row[f"session_{name}"] for name in Session.__struct_fields__))
            if touch and session.seen_at < now - TOUCH_US:
                seen = update(sessions).where(sessions.c.id == session.id).values(seen_at=now)
                connection.execute(seen)
        return user_of(row), session

    def of(self, user_name: str) -> list[Session]:
        """Return a user's sessions that are not over, last seen first."""
        names = [sessions.c[name] for name in Session.__struct_fields__]
        query = select(*names).where(sessions.c.user_name == user_name, sessions.c.expires_at > now_us())
        with self._begin() as connection:
            return [Session(*row) for row in connection.execute(query.order_by(sessions.c.seen_at.desc()))]

    def end(self, token: str, address: str = "") -> None:
        """End a session. An unknown token is no error."""
        ended = delete(sessions).where(sessions.c.token_hash == token_hash(token))
        with self._begin() as connection:
            name = connection.execute(ended.returning(sessions.c.user_name)).scalar()
            if name is not None:
                record(connection, Actor("user", name, address), Act.SIGNED_OUT, "user", name)

    def end_one(self, user_name: str, session_id: str, by: Actor) -> None:
        """End one session of a user. Raises `NotFound` where it is none of theirs."""
        ended = delete(sessions).where(sessions.c.id == session_id, sessions.c.user_name == user_name)
        with self._begin() as connection:
            if connection.execute(ended).rowcount == 0:
                raise NotFound("There is no such session; it may be over.", code="session_unknown")
            record(connection, by, Act.SIGNED_OUT, "user", user_name)

    def count_over(self, before: int) -> int:
        """Return how many sessions were over before an instant (microseconds)."""
        query = select(func.count()).where(sessions.c.expires_at < before)
        with self._begin() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_over(self, before: int) -> int:
        """Delete the sessions that were over before an instant; return how many."""
        with self._begin() as connection:
            return int(connection.execute(delete(sessions).where(sessions.c.expires_at < before)).rowcount)

    def note_second_factor(self, session_id: str) -> None:
        """Note that a session's user has shown a second factor just now."""
        with self._begin() as connection:
            shown = update(sessions).where(sessions.c.id == session_id).values(second_factor_at=now_us())
            connection.execute(shown)


def start_session(connection: Connection, name: str, address: str, *, second_factor: bool = False) -> str:
    """Begin a session and return its token, which is new: whatever a browser held before opens nothing.

    `second_factor` says that one was shown by the very way they came in.
    """
    token, now = secrets.token_urlsafe(32), now_us()
    connection.execute(delete(sessions).where(sessions.c.expires_at < now))
    connection.execute(
        insert(sessions).values(
            token_hash=token_hash(token),
            id=secrets.token_hex(8),
            user_name=name,
            created_at=now,
            seen_at=now,
            expires_at=now + SESSION_LENGTH_US,
            address=address,
            second_factor_at=now if second_factor else None,
        )
    )
    return token


def end_sessions(connection: Connection, name: str, *, but: str = "") -> None:
    """End all sessions of a user but one, by its id."""
    connection.execute(delete(sessions).where(sessions.c.user_name == name, sessions.c.id != but))


def token_hash(token: str) -> str:
    """Return what the store keeps of a token, which has 256 random bits and needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
