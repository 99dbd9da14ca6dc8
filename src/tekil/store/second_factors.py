"""Second factors: enrolled, confirmed, shown; and recovery codes, each good once."""

from __future__ import annotations

import hashlib
import time
from typing import Any, Protocol

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.access.audit import Act, Actor
from tekil.access.totp import matching_step, new_secret, recovery_codes, tidy_recovery_code
from tekil.errors import BadRequest
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.failures import SECOND_FACTOR, Failures, Guess
from tekil.store.tables import recovery_codes as codes
from tekil.store.tables import second_factors


class Sealer(Protocol):
    """What keeps a secret unreadable in the store; an installation with a master key brings one."""

    def seal(self, text: str) -> str:
        """Return a text as it may lie in a database."""
        ...

    def open(self, sealed: str) -> str:
        """Return what was sealed."""
        ...


class Plain:
    """Keeps secrets as they are, where an installation has no master key."""

    def seal(self, text: str) -> str:
        """See `Sealer.seal`."""
        return text

    def open(self, sealed: str) -> str:
        """See `Sealer.open`."""
        return sealed


class SecondFactors:
    """Reads and writes of second factors. `sealer` is replaced by whoever has a master key."""

    def __init__(self, begin: Begin, failures: Failures) -> None:
        """Take what opens a transaction on the store, and what counts wrong guesses."""
        self._begin = begin
        self._failures = failures
        self.sealer: Sealer = Plain()

    def enrol(self, name: str) -> str:
        """Return a new secret that a user's authenticator shall hold, in the place of one not confirmed.

        Raises `BadRequest` where one is confirmed already.
        """
        secret = new_secret()
        sealed = self.sealer.seal(secret)
        with self._begin() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            made = dialect.insert(second_factors).values(user_name=name, secret=sealed, last_step=0)
            kept = made.on_conflict_do_update(
                index_elements=[second_factors.c.user_name],
                set_={"secret": sealed, "last_step": 0},
                where=second_factors.c.confirmed_at.is_(None),
            )
            if connection.execute(kept.returning(second_factors.c.user_name)).first() is None:
                raise BadRequest("There is a second factor already.", code="second_factor_present")
        return secret

    def pending(self, name: str) -> str:
        """Return the secret that is shown and not confirmed yet; a new one where there is none."""
        with self._begin() as connection:
            row = _row(connection, name)
        if row is None or row.confirmed_at is not None:
            return self.enrol(name)
        return self.sealer.open(row.secret)

    def confirm(self, name: str, code: str, by: Actor) -> list[str]:
        """Begin to ask for the second factor, now that a code shows that it works; return recovery codes.

        The codes are shown this once. Raises `BadRequest` where the code is wrong, `Locked` for guessing.
        """
        guess = Guess(SECOND_FACTOR, name, by.origin)
        self._failures.claim(guess)
        with self._begin() as connection:
            row = _row(connection, name)
            if row is None or row.confirmed_at is not None or not self._matches(connection, name, code):
                raise BadRequest("The code is not right, or was used already.", code="code_wrong")
            done = update(second_factors).where(second_factors.c.user_name == name)
            connection.execute(done.values(confirmed_at=now_us()))
            connection.execute(delete(codes).where(codes.c.user_name == name))
            made = recovery_codes()
            rows = [{"hash": _hash(name, code), "user_name": name} for code in made]
            connection.execute(insert(codes), rows)
            record(connection, by, Act.SECOND_FACTOR_ON, "user", name)
        self._failures.forgive(guess)
        return made

    def show(self, name: str, code: str, by: Actor) -> None:
        """Return if the code is the authenticator's or an unused recovery code; each works once.

        Raises `BadRequest` where it is neither, `Locked` for guessing.
        """
        guess = Guess(SECOND_FACTOR, name, by.origin)
        self._failures.claim(guess)
        with self._begin() as connection:
            row = _row(connection, name)
            right = row is not None and row.confirmed_at is not None
            if right and not self._matches(connection, name, code):
                used = delete(codes).where(
                    codes.c.hash == _hash(name, tidy_recovery_code(code)), codes.c.user_name == name
                )
                right = connection.execute(used).rowcount == 1
                act = Act.RECOVERY_CODE_USED if right else Act.SECOND_FACTOR_WRONG
                record(connection, by, act, "user", name)
        if not right:
            raise BadRequest("The code is not right, or was used already.", code="code_wrong")
        self._failures.forgive(guess)

    def remove(self, name: str, by: Actor) -> None:
        """Forget a user's second factor and recovery codes. One that is not there is no error."""
        with self._begin() as connection:
            connection.execute(delete(codes).where(codes.c.user_name == name))
            gone = delete(second_factors).where(second_factors.c.user_name == name)
            if connection.execute(gone).rowcount:
                record(connection, by, Act.SECOND_FACTOR_OFF, "user", name)

    def codes_left(self, name: str) -> int:
        """Return how many recovery codes a user has not used."""
        with self._begin() as connection:
            return len(connection.execute(select(codes.c.hash).where(codes.c.user_name == name)).all())

    def _matches(self, connection: Connection, name: str, code: str) -> bool:
        row = _row(connection, name)
        if row is None:
            return False
        step = matching_step(self.sealer.open(row.secret), code, time.time(), row.last_step)
        if step is None:
            return False
        # Two who show the same code at once: only one of them moves the last step on.
        moved = update(second_factors).where(
            second_factors.c.user_name == name, second_factors.c.last_step < step
        )
        return connection.execute(moved.values(last_step=step)).rowcount == 1


def _row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(second_factors).where(second_factors.c.user_name == name)).first()


def _hash(name: str, code: str) -> str:
    return hashlib.sha256(f"{name}\0{code}".encode(errors="replace")).hexdigest()
