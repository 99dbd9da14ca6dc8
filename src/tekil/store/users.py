"""People who may sign in to the console: made, changed, locked out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tekil.access.audit import SYSTEM, Act, Actor
from tekil.access.passwords import check_password, nobodys_hash, one_time_password
from tekil.access.policy import ADMINISTRATOR, Condition, check_roles
from tekil.errors import BadRequest, NotFound
from tekil.store.accounts import User, select_users, user_of, write_condition
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.devices import forget_devices
from tekil.store.failures import PASSWORD, Failures, Guess
from tekil.store.sessions import end_sessions, start_session
from tekil.store.tables import users

USER_NAME = re.compile(r"[\w.@+-]{1,64}")


class Users:
    """Reads and writes of users."""

    hasher = PasswordHasher()
    """Argon2id with the costs of RFC 9106's second choice: slow on purpose. Tests set a quicker one."""

    def __init__(self, begin: Begin, failures: Failures) -> None:
        """Take what opens a transaction on the store, and what counts wrong guesses."""
        self._begin = begin
        self._failures = failures
        # Verified when the name is unknown, so that a wrong name takes as long as a wrong password.
        self.unknown_password = nobodys_hash(self.hasher)

    def create_first(self, name: str = "admin") -> str | None:
        """Make the first user, an administrator; return their password, shown this once.

        Returns nothing where users exist.
        """
        password = one_time_password()
        hashed = self.hasher.hash(password)
        with self._begin() as connection:
            if connection.execute(select(func.count()).select_from(users)).scalar_one():
                return None
            insert_user(connection, name, hashed, (ADMINISTRATOR,), None, must_change=False)
            record(connection, SYSTEM, Act.USER_CREATED, "user", name, roles=(ADMINISTRATOR,))
        return password

    def create(
        self, name: str, roles: Sequence[str], condition: Condition | None = None, by: Actor = SYSTEM
    ) -> str:
        """Make a user; return a password that is good for the first sign-in, shown this once.

        Raises `BadRequest` for a name that is none or is taken, and for a role that does not exist.
        """
        if not USER_NAME.fullmatch(name):
            raise BadRequest(
                "A user's name has up to 64 letters, digits and . @ + - _, for example ayse.yilmaz.",
                code="user_name_invalid",
            )
        known, password = check_roles(roles), one_time_password()
        hashed = self.hasher.hash(password)
        rule = str(condition) if condition else None
        taken = BadRequest(f"There is a user named {name!r} already.", code="user_name_taken")
        with self._begin() as connection:
            if connection.execute(select(users.c.name).where(users.c.name == name)).first():
                raise taken
            try:
                insert_user(connection, name, hashed, known, condition, must_change=True)
            except IntegrityError as error:
                raise taken from error
            record(connection, by, Act.USER_CREATED, "user", name, roles=known, condition=rule)
        return password

    def all(self) -> list[User]:
        """Return all users by name."""
        with self._begin() as connection:
            rows = connection.execute(select_users().order_by(users.c.name)).mappings()
            return [user_of(row) for row in rows]

    def get(self, name: str) -> User:
        """Return a user. Raises `NotFound` where there is none of that name."""
        with self._begin() as connection:
            return _get(connection, name)

    def sign_in(self, name: str, password: str, address: str = "", device: str = "") -> str | None:
        """Return a new session's token if the password is right, nothing if not.

        `device` is what `Devices.known` says of the browser. Raises `Locked` for too many wrong ones.
        """
        guess = Guess(PASSWORD, name, address, device)
        self._failures.claim(guess)
        with self._begin() as connection:
            row = connection.execute(
                select(users.c.password_hash, users.c.disabled_at).where(users.c.name == name)
            ).first()
        right = True
        try:
            self.hasher.verify(self.unknown_password if row is None else row.password_hash, password)
        except VerificationError:
            right = False
        with self._begin() as connection:
            if not right or row is None or row.disabled_at is not None:
                # What was typed for a name nobody has may be a password in the wrong field: it is not kept.
                by = Actor("system", "sign-in", address)
                record(connection, by, Act.SIGN_IN_FAILED, "user", "" if row is None else name)
                return None
            token = start_session(connection, name, address)
            record(connection, Actor("user", name, address), Act.SIGNED_IN, "user", name, way="password")
        self._failures.forgive(guess)
        return token

    def change_password(self, name: str, old: str, new: str, by: Actor, keep_session: str = "") -> None:
        """Change one's own password, and end one's other sessions.

        Raises `BadRequest` where the old one is wrong or the new one will not do, `Locked` for guessing.
        """
        guess = Guess(PASSWORD, name, by.origin)
        self._failures.claim(guess)
        with self._begin() as connection:
            kept = connection.execute(select(users.c.password_hash).where(users.c.name == name)).scalar_one()
        try:
            self.hasher.verify(kept, old)
        except VerificationError as error:
            raise BadRequest("The present password is not right.", code="password_wrong") from error
        self._failures.forgive(guess)
        check_password(new, name)
        if new == old:
            raise BadRequest("The new password is the present one.", code="password_same")
        hashed = self.hasher.hash(new)
        with self._begin() as connection:
            change_user(connection, name, password_hash=hashed, must_change=False)
            end_sessions(connection, name, but=keep_session)
            record(connection, by, Act.PASSWORD_CHANGED, "user", name)

    def reset_password(self, name: str, by: Actor) -> str:
        """Give a user a new password for one sign-in, shown this once, and end their sessions."""
        password = one_time_password()
        hashed = self.hasher.hash(password)
        with self._begin() as connection:
            change_user(connection, name, password_hash=hashed, must_change=True)
            end_sessions(connection, name)
            forget_devices(connection, name)
            record(connection, by, Act.PASSWORD_RESET, "user", name)
        self._failures.forget(name)
        return password

    def set_roles(self, name: str, roles: Sequence[str], condition: Condition | None, by: Actor) -> None:
        """Give a user these roles and no others, and this attribute rule or none.

        Raises `BadRequest` where nobody would be left to administrate.
        """
        known = check_roles(roles)
        rule = str(condition) if condition else None
        with self._begin() as connection:
            change_user(connection, name, roles=" ".join(known), condition=write_condition(condition))
            check_administrator(connection)
            record(connection, by, Act.USER_ROLES_SET, "user", name, roles=known, condition=rule)

    def set_enabled(self, name: str, enabled: bool, by: Actor) -> None:
        """Let a user sign in, or no longer; either way, wrong guesses are forgotten or sessions ended.

        Raises `BadRequest` where nobody would be left to administrate.
        """
        with self._begin() as connection:
            change_user(connection, name, disabled_at=None if enabled else now_us())
            if not enabled:
                end_sessions(connection, name)
                check_administrator(connection)
            record(connection, by, Act.USER_ENABLED if enabled else Act.USER_DISABLED, "user", name)
        if enabled:
            self._failures.forget(name)


def insert_user(
    connection: Connection,
    name: str,
    hashed: str,
    roles: Sequence[str],
    condition: Condition | None,
    *,
    must_change: bool,
) -> None:
    """Add a user whose name and roles were looked at."""
    row = {"name": name, "password_hash": hashed, "created_at": now_us(), "must_change": must_change}
    more = {"roles": " ".join(roles), "condition": write_condition(condition)}
    connection.execute(insert(users).values(**row, **more))


def _get(connection: Connection, name: str) -> User:
    row = connection.execute(select_users().where(users.c.name == name)).mappings().first()
    if row is None:
        raise NotFound(f"There is no user named {name!r}.", code="user_unknown")
    return user_of(row)


def change_user(connection: Connection, name: str, **values: object) -> None:
    """Set columns of a user. Raises `NotFound` where there is none of that name."""
    if connection.execute(update(users).where(users.c.name == name).values(**values)).rowcount == 0:
        raise NotFound(f"There is no user named {name!r}.", code="user_unknown")


def check_administrator(connection: Connection) -> None:
    """Raise `BadRequest`, and so undo the change, where no enabled and unnarrowed administrator is left."""
    everybody = [user_of(row) for row in connection.execute(select_users()).mappings()]
    if not any(ADMINISTRATOR in u.roles and not u.disabled and u.condition is None for u in everybody):
        raise BadRequest(
            "Nobody would be left to administrate; make somebody else an administrator first.",
            code="last_administrator",
        )
