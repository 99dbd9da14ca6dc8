"""Connections to other systems as they are kept: what is secret of them is sealed before it comes here."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection as Database
from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tekil.access.audit import Act, Actor, Detail
from tekil.errors import NotFound
from tekil.store.access_tables import connections
from tekil.store.audit import record
from tekil.store.clock import Begin, now_us


class ConnectionRow(msgspec.Struct, frozen=True):
    """A connection. `state` is working, away, refused, broken or disabled; instants are microseconds."""

    name: str
    grant: str
    place: str
    state: str
    error: str
    sealed: str
    expires_at: int | None
    created_at: int
    updated_at: int


DISABLED = "disabled"

_COLUMNS = [connections.c[name] for name in ConnectionRow.__struct_fields__]


class ConnectionRows:
    """Reads and writes of connections."""

    def __init__(self, begin: Begin) -> None:
        """Take what opens a transaction on the store."""
        self._begin = begin

    def find(self, name: str) -> ConnectionRow | None:
        """Return a connection, or nothing where there is none of that name."""
        with self._begin() as database:
            row = database.execute(select(*_COLUMNS).where(connections.c.name == name)).first()
        return None if row is None else ConnectionRow(*row)

    def get(self, name: str) -> ConnectionRow:
        """Return a connection. Raises `NotFound` where there is none of that name."""
        found = self.find(name)
        if found is None:
            raise NotFound(f"There is no connection named {name!r}.", code="connection_unknown")
        return found

    def all(self) -> list[ConnectionRow]:
        """Return all connections by name."""
        with self._begin() as database:
            rows = database.execute(select(*_COLUMNS).order_by(connections.c.name))
            return [ConnectionRow(*row) for row in rows]

    def put(self, name: str, grant: str, place: str, sealed: str, by: Actor) -> None:
        """Keep a connection, in the place of one of the same name."""
        now = now_us()
        fresh = {
            "grant": grant,
            "place": place,
            "sealed": sealed,
            "state": "working",
            "error": "",
            "expires_at": None,
            "refreshing_until": 0,
            "updated_at": now,
        }
        with self._begin() as database:
            make = postgresql if database.dialect.name == "postgresql" else sqlite
            made = make.insert(connections).values(name=name, created_at=now, **fresh)
            kept = made.on_conflict_do_update(index_elements=[connections.c.name], set_=fresh)
            database.execute(kept)
            record(database, by, Act.CONNECTION_SET, "connection", name, grant=grant)

    def claim(self, name: str, now: float, seconds: float) -> bool:
        """Take the right to renew a connection's tokens; return whether it was there to be taken.

        Who holds it lets go by `save` or `fail`; of somebody who died, others take it after `seconds`.
        """
        at = int(now * 1e6)
        taken = update(connections).where(connections.c.name == name, connections.c.refreshing_until <= at)
        with self._begin() as database:
            until = at + int(seconds * 1e6)
            return database.execute(taken.values(refreshing_until=until)).rowcount == 1

    def save(self, name: str, sealed: str, expires_at: int | None) -> None:
        """Keep what is sealed now, which works."""
        with self._begin() as database:
            # Somebody may have disabled it meanwhile, and that stands.
            _change(database, name, sealed=sealed, expires_at=expires_at, **_unless_disabled("working", ""))

    def fail(self, name: str, state: str, error: str) -> None:
        """Note why there is no token."""
        with self._begin() as database:
            _change(database, name, **_unless_disabled(state, error))

    def set_enabled(self, name: str, enabled: bool, by: Actor) -> None:
        """Let a connection be used, or no longer. Raises `NotFound` where there is none of that name."""
        act = Act.CONNECTION_ENABLED if enabled else Act.CONNECTION_DISABLED
        state = "working" if enabled else DISABLED
        others = connections.c.state == DISABLED if enabled else connections.c.state != DISABLED
        self.get(name)
        with self._begin() as database:
            changed = update(connections).where(connections.c.name == name, others)
            if database.execute(changed.values(state=state, error="", updated_at=now_us())).rowcount:
                record(database, by, act, "connection", name)

    def note(self, name: str, by: Actor, act: Act, **details: Detail) -> None:
        """Put on record what was done with a connection."""
        with self._begin() as database:
            record(database, by, act, "connection", name, **details)

    def remove(self, name: str, by: Actor, *, revoked: bool) -> None:
        """Forget a connection."""
        with self._begin() as database:
            if database.execute(delete(connections).where(connections.c.name == name)).rowcount:
                record(database, by, Act.CONNECTION_REMOVED, "connection", name, revoked=revoked)


def _unless_disabled(state: str, error: str) -> dict[str, object]:
    stays = connections.c.state == DISABLED
    return {"state": case((stays, DISABLED), else_=state), "error": case((stays, ""), else_=error)}


def _change(database: Database, name: str, **values: object) -> None:
    changed = update(connections).where(connections.c.name == name)
    database.execute(changed.values(**values, refreshing_until=0, updated_at=now_us()))
