"""From a URL to a store whose tables are as this version wants them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from tekil.errors import Misconfigured, Unavailable
from tekil.store.audit import Audit
from tekil.store.cards import Cards
from tekil.store.connections import ConnectionRows
from tekil.store.consents import Consents
from tekil.store.data_keys import DataKeys
from tekil.store.definitions import Definitions
from tekil.store.destructions import Destructions
from tekil.store.devices import Devices
from tekil.store.failures import Failures
from tekil.store.identities import Identities
from tekil.store.iys import IysRecords
from tekil.store.keys import Keys
from tekil.store.leads import Leads
from tekil.store.links import LinkReviews, LinkRuns
from tekil.store.passkeys import Passkeys
from tekil.store.person_rows import PersonRows
from tekil.store.quality_alerts import QualityAlerts
from tekil.store.requests import SubjectRequests
from tekil.store.schema import bring_up_to_date
from tekil.store.sealed_values import SealedValues
from tekil.store.second_factors import SecondFactors
from tekil.store.sessions import Sessions
from tekil.store.tokens import Tokens
from tekil.store.tombstones import TombstoneRows
from tekil.store.users import Users


class Store:
    """Everything people decided, and the cards; one object for each slice of it. Safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine whose tables are migrated; `open_store` makes one."""
        self._engine = engine
        self.keys = Keys(self._begin)
        self.tokens = Tokens(self._begin)
        self.failures = Failures(self._begin)
        self.devices = Devices(self._begin)
        self.users = Users(self._begin, self.failures)
        self.passkeys = Passkeys(self._begin)
        self.identities = Identities(self._begin, self.users.unknown_password)
        self.sessions = Sessions(self._begin)
        self.second_factors = SecondFactors(self._begin, self.failures)
        self.cards = Cards(self._begin)
        self.data_keys = DataKeys(self._begin)
        self.sealed_values = SealedValues(self._begin)
        self.audit = Audit(self._begin)
        self.definitions = Definitions(self._begin)
        self.consents = Consents(self._begin)
        self.iys = IysRecords(self._begin)
        self.requests = SubjectRequests(self._begin)
        self.quality_alerts = QualityAlerts(self._begin)
        self.connections = ConnectionRows(self._begin)
        self.destructions = Destructions(self._begin)
        self.tombstones = TombstoneRows(self._begin)
        self.leads = Leads(self._begin)
        self.link_reviews = LinkReviews(self._begin)
        self.link_runs = LinkRuns(self._begin)
        self.person_rows = PersonRows(self._begin)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        """Yield a connection in a transaction. Turns a database that is away into `Unavailable`."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise Unavailable(
                f"The store ({self._engine.url.render_as_string()}) did not answer: {error.orig}. "
                "Check that it is running and has disk space; what was asked can be asked again.",
                code="store_unavailable",
            ) from error

    def ping(self) -> None:
        """Return if the store answers; raise `Unavailable` if not."""
        with self._begin() as connection:
            connection.exec_driver_sql("select 1")

    def wipe(self) -> bool:
        """Fold the write-ahead log into the file and cut it to nothing, so that no copy of what was deleted
        stays; return whether that is so. PostgreSQL does such things by itself, in its own time.
        """
        if self._engine.dialect.name != "sqlite":
            return False
        with self._engine.connect() as connection:
            row = connection.exec_driver_sql("pragma wal_checkpoint(truncate)").one()
        return bool(row[0] == 0)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """Open the store that a SQLAlchemy `url` names, and bring its tables up to date.

    Raises `Misconfigured` for a URL that is none, `Unavailable` when the database is not there.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise Misconfigured(
            f"store.url names no database this installation can open ({error}). Write "
            "sqlite:///data/store.db, or postgresql://… after `pip install tekil[postgresql]`.",
            code="store_url_unknown",
        ) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _set_sqlite_pragmas)
    try:
        bring_up_to_date(engine)
    except DBAPIError as error:
        raise Unavailable(f"The store cannot be opened: {error.orig}", code="store_unavailable") from error
    return Store(engine)


def _set_sqlite_pragmas(connection: Any, _record: object) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma busy_timeout = 5000")
    # What is deleted or replaced is overwritten: an erased person's bytes must not stay in free pages.
    connection.execute("pragma secure_delete = on")
    # Cards are looked up all over the file: a page once read stays at hand, and is read without a copy.
    connection.execute("pragma cache_size = -65536")
    connection.execute("pragma mmap_size = 4294967296")
    # A thousand cards change as many pages: fold the write-ahead log in after 64 MB, not at every commit.
    connection.execute("pragma wal_autocheckpoint = 16384")
