"""Passkeys as they are kept: public keys, counters, whose they are."""

from __future__ import annotations

import base64
import secrets

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tekil.access.audit import Act, Actor
from tekil.access.passkeys import Assertion, NewPasskey, has_gone_on, unreadable
from tekil.errors import BadRequest, NotFound
from tekil.store.access_tables import passkeys
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.sessions import start_session
from tekil.store.tables import users

TITLE_MAX = 64
PASSKEYS_MAX = 20
HANDLE_BYTES = 32


class Passkey(msgspec.Struct, frozen=True):
    """A passkey. `suspect_at` says when it seemed to be copied; from then on it opens nothing."""

    id: str
    user_name: str
    handle: str
    title: str
    public_key: bytes
    sign_count: int
    synced: bool
    created_at: int
    last_used_at: int | None = None
    suspect_at: int | None = None


_COLUMNS = [passkeys.c[name] for name in Passkey.__struct_fields__]


class Passkeys:
    """Reads and writes of passkeys."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def of(self, user_name: str) -> list[Passkey]:
        """Return a user's passkeys, oldest first."""
        query = select(*_COLUMNS).where(passkeys.c.user_name == user_name).order_by(passkeys.c.created_at)
        with self._begin() as connection:
            return [Passkey(*row) for row in connection.execute(query)]

    def find(self, key_id: str) -> Passkey | None:
        """Return a passkey that still opens, or nothing."""
        query = select(*_COLUMNS).where(passkeys.c.id == key_id, passkeys.c.suspect_at.is_(None))
        with self._begin() as connection:
            row = connection.execute(query).first()
        return None if row is None else Passkey(*row)

    def handle(self, user_name: str) -> str:
        """Return what authenticators know a user by: the same for all their passkeys, and no name."""
        known = self.of(user_name)
        made = base64.urlsafe_b64encode(secrets.token_bytes(HANDLE_BYTES)).rstrip(b"=").decode()
        return known[0].handle if known else made

    def add(self, user_name: str, handle: str, title: str, made: NewPasskey, by: Actor) -> None:
        """Keep a new passkey. Raises `BadRequest` where it is known already, or there are too many."""
        row = {"user_name": user_name, "handle": handle, "title": title[:TITLE_MAX], "created_at": now_us()}
        if len(self.of(user_name)) >= PASSKEYS_MAX:
            raise BadRequest(f"There are {PASSKEYS_MAX} passkeys; remove one first.", code="passkeys_many")
        with self._begin() as connection:
            try:
                connection.execute(insert(passkeys).values(**row, **msgspec.structs.asdict(made)))
            except IntegrityError as error:
                raise BadRequest("This passkey is known already.", code="passkey_known") from error
            record(connection, by, Act.PASSKEY_ADDED, "user", user_name, title=title[:TITLE_MAX])

    def remove(self, user_name: str, key_id: str, by: Actor) -> None:
        """Forget one passkey. Raises `NotFound` where it is none of the user's."""
        mine = (passkeys.c.id == key_id) & (passkeys.c.user_name == user_name)
        with self._begin() as connection:
            title = connection.execute(delete(passkeys).where(mine).returning(passkeys.c.title)).scalar()
            if title is None:
                raise NotFound("There is no such passkey.", code="passkey_unknown")
            record(connection, by, Act.PASSKEY_REMOVED, "user", user_name, title=title)

    def remove_all(self, user_name: str, by: Actor) -> None:
        """Forget all passkeys of somebody who lost them."""
        for known in self.of(user_name):
            self.remove(user_name, known.id, by)

    def show(self, passkey: Passkey, shown: Assertion, by: Actor) -> None:
        """Note that a passkey was shown as a second factor. Raises `BadRequest` where it may be a copy."""
        with self._begin() as connection:
            good = _count(connection, passkey, shown, by)
        if not good:
            raise unreadable()

    def sign_in(self, passkey: Passkey, shown: Assertion, address: str) -> str | None:
        """Return a new session's token for whoever showed a passkey; nothing where they may not come in.

        The passkey has verified its user, so the session has its second factor.
        """
        name = passkey.user_name
        by = Actor("user", name, address)
        query = select(users.c.disabled_at).where(users.c.name == name)
        with self._begin() as connection:
            user = connection.execute(query).first()
            if user is None or user.disabled_at is not None:
                record(connection, Actor("system", "sign-in", address), Act.SIGN_IN_FAILED, "user", name)
                return None
            if not _count(connection, passkey, shown, by):
                return None
            token = start_session(connection, name, address, second_factor=True)
            record(connection, by, Act.SIGNED_IN, "user", name, way="passkey")
        return token

    def refuse(self, user_name: str, address: str) -> None:
        """Put on record that a passkey was shown that is none, or whose proof was not good."""
        by = Actor("system", "sign-in", address)
        with self._begin() as connection:
            record(connection, by, Act.PASSKEY_REFUSED, "user", user_name)


def _count(connection: Connection, passkey: Passkey, shown: Assertion, by: Actor) -> bool:
    """Move a passkey's counter on; close it, and return that it is not good, where that cannot be."""
    this = update(passkeys).where(passkeys.c.id == passkey.id, passkeys.c.suspect_at.is_(None))
    if has_gone_on(passkey.sign_count, shown.sign_count):
        # Two proofs at once with one count: only one of them finds the count as it was read.
        same = this.where(passkeys.c.sign_count == passkey.sign_count)
        moved = same.values(sign_count=shown.sign_count, last_used_at=now_us())
        return connection.execute(moved).rowcount == 1
    connection.execute(this.values(suspect_at=now_us()))
    record(connection, by, Act.PASSKEY_SUSPECT, "user", passkey.user_name, title=passkey.title)
    return False
