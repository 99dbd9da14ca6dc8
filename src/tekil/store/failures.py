"""How often somebody may guess: counted in the store, so that no restart and no second process forgives."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection, case, delete
from sqlalchemy.dialects import postgresql, sqlite

from tekil.access.audit import Act, Actor
from tekil.errors import TekilError
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us
from tekil.store.tables import failures

WINDOW_US = 15 * 60 * 1_000_000
ACCOUNT_MAX = 8
"""Wrong guesses for one name in a window: from one address, or from one browser of the name's owner."""

STRANGERS_MAX = 100
"""Wrong passwords for one name in a window from all browsers that its owner never signed in with."""

ADDRESS_MAX = 40
"""Wrong passwords from one address in a window, for whatever names: an office shares an address."""

PASSWORD, SECOND_FACTOR, PASSKEY = "password", "second factor", "passkey"

MICROSECONDS = 1_000_000


class Locked(TekilError):
    """Too many guesses; `seconds` is how long to wait."""

    code = "sign_in_locked"
    http_status = 429

    def __init__(self, seconds: float) -> None:
        """Take how long to wait."""
        super().__init__(f"Too many wrong attempts. Try again in {seconds / 60:.0f} minutes.")
        self.seconds = seconds


class Guess(msgspec.Struct, frozen=True):
    """What is guessed (a password, a second factor), for which name, from where.

    `device` is the browser, where the name's owner has signed in with it before.
    """

    what: str
    name: str
    address: str
    device: str = ""


class Failures:
    """Counts guesses, so that whoever guesses waits, and not whom they guess at.

    A stranger's guesses fill the counts of their address and of all strangers. The owner of the name, in a
    browser they have used before, is counted apart. Second factors are guessed by those who know the password
    already, so there all count together.
    """

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def claim(self, guess: Guess) -> None:
        """Count a guess before it is looked at, so that guesses made all at once are counted too.

        Raises `Locked` where there were too many. A right guess takes its count back by `forgive`.
        """
        with self._begin() as connection:
            waits = [_count(connection, who, limit) for who, limit in _counts(guess)]
            if any(first for _, first in waits):
                by = Actor("system", "sign-in", guess.address)
                record(connection, by, Act.SIGN_IN_LOCKED, "address", guess.address)
        wait = max(seconds for seconds, _ in waits)
        if wait > 0:
            raise Locked(wait)

    def forgive(self, guess: Guess) -> None:
        """Forget a name's own wrong guesses after a right one; shared counts lose that one guess."""
        with self._begin() as connection:
            own, *shared = (who for who, _ in _counts(guess))
            connection.execute(delete(failures).where(failures.c.who == own))
            kept = failures.update().where(failures.c.who.in_(shared), failures.c.count > 0)
            connection.execute(kept.values(count=failures.c.count - 1))

    def forget(self, name: str) -> None:
        """Unlock an account for strangers too; who guessed from one address waits on."""
        lost = [_who(PASSWORD, "strangers", name), _who(SECOND_FACTOR, "account", name)]
        with self._begin() as connection:
            connection.execute(delete(failures).where(failures.c.who.in_(lost)))


def _counts(guess: Guess) -> list[tuple[str, int]]:
    """Return the counts that a guess goes into, and their limits: first its very own, then shared ones."""
    by_address = (_who(guess.what, "address", guess.address), ADDRESS_MAX)
    if guess.what == SECOND_FACTOR:
        return [(_who(guess.what, "account", guess.name), ACCOUNT_MAX), by_address]
    if guess.what == PASSKEY:
        # Nobody guesses a passkey; who tries without end is only kept from costing others time.
        return [by_address]
    if guess.device:
        return [(_who(guess.what, "device", guess.device, guess.name), ACCOUNT_MAX)]
    own = (_who(guess.what, "here", guess.address, guess.name), ACCOUNT_MAX)
    return [own, (_who(guess.what, "strangers", guess.name), STRANGERS_MAX), by_address]


def _who(*parts: str) -> str:
    # A hash, because people type passwords where a name belongs.
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _count(connection: Connection, who: str, limit: int) -> tuple[float, bool]:
    """Count a guess; return the seconds to wait (0 for none), and whether it is the first over the limit."""
    now = now_us()
    connection.execute(delete(failures).where(failures.c.first_at <= now - WINDOW_US))
    statement = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(failures)
    over = failures.c.first_at <= now - WINDOW_US
    counted = statement.values(who=who, count=1, first_at=now).on_conflict_do_update(
        index_elements=[failures.c.who],
        set_={
            "count": case((over, 1), else_=failures.c.count + 1),
            "first_at": case((over, now), else_=failures.c.first_at),
        },
    )
    row = connection.execute(counted.returning(failures.c.count, failures.c.first_at)).one()
    if row[0] <= limit:
        return 0.0, False
    return max(row[1] + WINDOW_US - now, 1) / MICROSECONDS, row[0] == limit + 1
