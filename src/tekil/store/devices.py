"""Browsers that somebody has signed in with before: strangers' guesses do not lock these out.

After OWASP's device cookies (the chapter on slowing down guesses). A browser that brings its cookie has a
count of its own; everybody else shares the counts that strangers fill.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, insert, select, update

from tekil.store.access_tables import devices
from tekil.store.clock import Begin, now_us
from tekil.store.sessions import token_hash

LASTS_DAYS = 180
LASTS_US = LASTS_DAYS * 86_400 * 1_000_000


class Devices:
    """Reads and writes of known browsers. Only hashes of their tokens are kept."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def known(self, token: str, user_name: str) -> str:
        """Return the hash of a browser's token if this user has signed in there, empty if not."""
        if not token:
            return ""
        hashed = token_hash(token)
        query = select(devices.c.token_hash).where(
            devices.c.token_hash == hashed,
            devices.c.user_name == user_name,
            devices.c.seen_at > now_us() - LASTS_US,
        )
        with self._begin() as connection:
            return hashed if connection.execute(query).first() else ""

    def remember(self, token: str, user_name: str) -> str:
        """Return a new token for the browser that somebody has just signed in with; the old one is over.

        It is new each time: a token that somebody planted in a browser is never made good by its owner.
        """
        new, now = secrets.token_urlsafe(32), now_us()
        mine = (devices.c.token_hash == token_hash(token)) & (devices.c.user_name == user_name)
        with self._begin() as connection:
            connection.execute(delete(devices).where(mine | (devices.c.seen_at <= now - LASTS_US)))
            # Others who sign in with the same browser keep what they have.
            others = update(devices).where(devices.c.token_hash == token_hash(token))
            connection.execute(others.values(token_hash=token_hash(new)))
            row = {"token_hash": token_hash(new), "user_name": user_name, "seen_at": now}
            connection.execute(insert(devices).values(**row))
        return new


def forget_devices(connection: Connection, user_name: str) -> None:
    """Know none of a user's browsers any more."""
    connection.execute(delete(devices).where(devices.c.user_name == user_name))
