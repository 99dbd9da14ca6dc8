"""The warehouse on any Spark Connect server, over Delta tables.

Delta commits one table at a time, so one table is made the commit of all: `tekil_marks` holds one row with
the marks and the version that every table had then, and it is written last. Readers ask for those versions,
never for the newest. What a transaction that failed, or died, left behind is put back to what was committed
before the next one begins.

Staged relations are Parquet files under the location's `_staged`, two places a name and by turns, so that a
relation may be derived from its predecessor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa
import sqlglot
from sqlglot import exp

from tekil.errors import BadRequest, Unavailable
from tekil.warehouse.dialect import bind, render
from tekil.warehouse.macros_spark import instant_literal, quoted
from tekil.warehouse.protocol import STRUCTS, Column, Marks, Parameters, Table, Wanted
from tekil.warehouse.spark_session import (
    answers_expected,
    from_server,
    open_session,
    parameter,
    parse_url,
    says_wrong,
    to_server,
)

Answer = TypeVar("Answer")

TYPES = {
    "text": "STRING",
    "texts": "ARRAY<STRING>",
    "bigint": "BIGINT",
    "integer": "INT",
    "decimal": "DECIMAL(18, 4)",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "variant": "VARIANT",
}
TYPES |= {
    name: f"STRUCT<{', '.join(f'{member}: {TYPES[kind]}' for member, kind in members.items())}>"
    for name, members in STRUCTS.items()
}

MARKS = "tekil_marks"
MARKS_COLUMNS = "position BIGINT, cycle BIGINT, clock TIMESTAMP, models STRING, state STRING"

FORBIDDEN_FUNCTIONS = frozenset({"reflect", "java_method", "try_reflect", "read_files", "input_file_name"})
"""Functions by which a SELECT could reach the server's own machine."""

_COMMITTED = "tekil_committed_"
_STAGED = "_staged"


@dataclass(frozen=True, slots=True)
class _State:
    """What is committed: the marks (nothing before the first), the tables' versions, the views' SELECTs.

    `places` says where a table lies that was made anew with other columns; all others lie under their name.
    """

    marks: Marks | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    def place_of(self, table: str) -> str:
        return self.places.get(table, table)


class SparkWarehouse:
    """A `Warehouse` behind a Spark Connect URL: `sc://host:port/;tekil_location=/where/the/tables/are`."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Connect, and put back whatever an engine that died left uncommitted.

        Raises `Misconfigured` for a URL that does not say enough, `Unavailable` where nobody answers.
        """
        self._address = parse_url(url)
        self._place = f"{self._address.host}:{self._address.port}"
        self._prefix = f"tekil_{hashlib.sha256(self._address.location.encode()).hexdigest()[:12]}_"
        self._read_only = read_only
        self._tables: dict[str, Table] = {}
        self._slots: dict[str, int] = {}
        self._now: datetime | None = None
        self._written: dict[str, int] = {}
        self._moved: dict[str, str] = {}
        self._in_transaction = False
        self._next_marks: Marks | None = None
        self._state = _State()
        self._settled = self._connected = False
        self._session: Any = None
        self._ready()

    def create(self, tables: Sequence[Table]) -> None:
        """See `Warehouse.create`."""
        self._ready()
        for table in tables:
            self._register(self._state.place_of(table.name), _columns(table))
            self._tables[table.name] = table
            self._settle_table(table.name)

    def define(self, views: Mapping[str, str]) -> None:
        """See `Warehouse.define`."""
        self._state = replace(self._state, views={**self._state.views, **views})

    def set_now(self, instant: datetime) -> None:
        """See `Warehouse.set_now`."""
        self._now = instant

    def stage(self, name: str, rows: pa.Table) -> None:
        """See `Warehouse.stage`."""
        self._ready()
        sent = to_server(rows)
        # Spark's client makes nothing of no rows, so a row of nulls stands for the columns.
        shown = sent if rows.num_rows else pa.Table.from_pylist([{}], sent.schema)

        def send() -> None:
            frame = self._session.createDataFrame(shown)
            (frame if rows.num_rows else frame.limit(0)).createOrReplaceTempView(name)

        self._ask(send)

    def derive(self, name: str, sql: str) -> None:
        """See `Warehouse.derive`."""
        self._ready()
        text = self._text(sql)
        slot = 1 - self._slots.get(name, 1)

        def write() -> None:
            frame = self._session.sql(text)
            # The schema is said when reading, because a writer may leave no file where there are no rows.
            schema = frame.schema
            frame.write.format("parquet").mode("overwrite").save(self._slot(name, slot))
            staged = self._session.read.schema(schema).parquet(self._slot(name, slot))
            staged.createOrReplaceTempView(name)

        self._ask(write)
        self._slots[name] = slot

    def bulk(self) -> contextlib.AbstractContextManager[None]:
        """See `Warehouse.bulk`. Everything derived lies in files here."""
        return contextlib.nullcontext()

    def pick(
        self, name: str, table: str, columns: Sequence[str], touched: str | Wanted, by: str | None = None
    ) -> None:
        """See `Warehouse.pick`."""
        wanted = {by or self._tables[table].key: touched} if isinstance(touched, str) else touched
        select = f"SELECT {', '.join(columns)} FROM {table} WHERE"
        self.derive(name, " UNION ".join(f"{select} {k} IN (SELECT {k} FROM {r})" for k, r in wanted.items()))

    def drop(self, name: str) -> None:
        """See `Warehouse.drop`."""
        self._ready()
        self._run(f"DROP VIEW IF EXISTS {name}")

    def append(self, table: str, sql: str) -> None:
        """See `Warehouse.append`."""
        self._insert("INTO", table, sql)

    def replace(self, table: str, touched: str, sql: str) -> None:
        """See `Warehouse.replace`."""
        self.remove(table, self._tables[table].key, touched)
        self.append(table, sql)

    def remove(self, table: str, column: str, doomed: str) -> None:
        """See `Warehouse.remove`."""
        gone = self._text(f"SELECT DISTINCT {column} FROM {doomed}")
        # DELETE with a subquery is refused by some servers; MERGE says the same everywhere.
        self._write(
            table,
            f"MERGE INTO {self._prefix}{self._lies_in(table)} AS kept USING ({gone}) AS gone"
            f" ON kept.`{column}` = gone.`{column}` WHEN MATCHED THEN DELETE",
        )

    def overwrite(self, table: str, sql: str) -> None:
        """See `Warehouse.overwrite`."""
        self._insert("OVERWRITE", table, sql)

    def remake(self, table: Table, sql: str) -> None:
        """See `Warehouse.remake`. Other columns are another place: a version has one shape for ever."""
        self._ready()
        columns = _columns(table)
        place = f"{table.name}_{hashlib.sha256(columns.encode()).hexdigest()[:12]}"
        self._register(place, columns)
        self._tables[table.name] = table
        self._moved[table.name] = place
        self.overwrite(table.name, sql)

    def query(self, sql: str) -> pa.Table:
        """See `Warehouse.query`."""
        self._ready()
        text = self._text(sql)
        return self._ask(lambda: from_server(self._session.sql(text).toArrow()))

    def read(self, sql: str, parameters: Parameters = None, now: datetime | None = None) -> pa.Table:
        """See `Warehouse.read`. Reads the versions that the last commit named, whatever is being written."""
        if self._read_only:
            self._state = self._stored_state()
        state = self._state
        _check_select(sql, {*self._names(state), MARKS})
        names = {MARKS: _marks_select(state.marks), **{n: f"{_COMMITTED}{n}" for n in state.versions}}
        names |= {name: bind(view, names) for name, view in state.views.items()}
        now = now or datetime.now(UTC).replace(tzinfo=None)
        text = render(bind(sql, names), "spark", instant_literal(now))
        text = re.sub(rf"\b{_COMMITTED}(\w+)", lambda found: self._pinned(found[1], state), text)
        arguments = {name: parameter(value) for name, value in (parameters or {}).items()}
        try:
            return from_server(self._session.sql(text, args=arguments).toArrow())
        except Exception as error:
            if says_wrong(error):
                raise BadRequest(str(error), code="sql_invalid") from error
            with answers_expected(self._place):
                raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Warehouse.transaction`."""
        self._ready()
        self._written.clear()
        self._moved.clear()
        before = dict(self._tables)
        self._next_marks, self._in_transaction = None, True
        try:
            yield
            self._commit()
        except BaseException:
            self._in_transaction, self._settled = False, False
            self._tables = before
            self._moved.clear()
            with contextlib.suppress(Unavailable):
                self._ready()
            raise
        finally:
            self._in_transaction = False

    def marks(self) -> Marks:
        """See `Warehouse.marks`."""
        if self._read_only:
            self._state = self._stored_state()
        elif not self._in_transaction:
            self._ready()
        return self._state.marks or Marks()

    def set_marks(self, marks: Marks) -> None:
        """See `Warehouse.set_marks`."""
        self._next_marks = marks

    def cluster(self, table: str, places: str) -> bool:  # noqa: ARG002
        """See `Warehouse.cluster`. Gathering small files is Delta's own `OPTIMIZE`, where a server has it."""
        return False

    def sweep(self) -> bool:
        """See `Warehouse.sweep`. Old versions go with Delta's own `VACUUM`, where a server has it."""
        return False

    def close(self) -> None:
        """See `Warehouse.close`. Staged rows do not outlive their engine."""
        session, self._session = self._session, None
        self._connected = False
        if session is None:
            return
        # Whoever closes because the server is gone has nothing left to tidy.
        with contextlib.suppress(Exception):
            for name in self._slots:
                for slot in (0, 1):
                    nothing = session.sql("SELECT 1 AS nothing WHERE FALSE")
                    nothing.write.format("parquet").mode("overwrite").save(self._slot(name, slot))
        self._slots.clear()
        with contextlib.suppress(Exception):
            session.stop()

    def _commit(self) -> None:
        """Write the one row that makes everything before it true."""
        versions = dict(self._state.versions)
        for table, writes in self._written.items():
            floor = 0 if table in self._moved else versions[table]
            versions[table] = self._head(self._lies_in(table), floor, floor + writes)
        places = {**self._state.places, **self._moved}
        marks = self._next_marks or self._state.marks
        state = replace(self._state, marks=marks, versions=versions, places=places)
        self._store(state)
        self._state = state
        self._moved.clear()

    def _store(self, state: _State) -> None:
        marks = state.marks or Marks()
        clock = instant_literal(marks.clock) if marks.clock else "CAST(NULL AS TIMESTAMP)"
        kept = json.dumps(
            {
                "versions": state.versions,
                "views": state.views,
                "places": state.places,
                "marked": state.marks is not None,
            }
        )
        self._run(
            f"INSERT OVERWRITE {self._prefix}{MARKS} SELECT CAST({marks.position} AS BIGINT) AS position,"
            f" CAST({marks.cycle} AS BIGINT) AS cycle, {clock} AS clock, {quoted(marks.models)} AS models,"
            f" {quoted(kept)} AS state"
        )

    def _stored_state(self) -> _State:
        found = self._ask(
            lambda: from_server(self._session.sql(f"SELECT * FROM {self._path(MARKS)}").toArrow())
        ).to_pylist()
        if not found:
            return _State()
        row = found[0]
        kept = json.loads(row["state"])
        marks = Marks(row["position"], row["cycle"], row["clock"], row["models"]) if kept["marked"] else None
        return _State(marks, kept["versions"], kept["views"], kept.get("places", {}))

    def _ready(self) -> None:
        """Be connected, and have every table as it was committed. Costs nothing when all is well."""
        if not self._connected:
            self._connect()
        if not self._settled and not self._in_transaction and not self._read_only:
            self._settle()

    def _connect(self) -> None:
        self.close()
        self._session = open_session(self._address)
        self._connected = True
        if self._read_only:
            self._state = self._stored_state()
            return
        self._register(MARKS, MARKS_COLUMNS)
        for table in self._tables.values():
            self._register(self._state.place_of(table.name), _columns(table))
        self._settled = False

    def _settle(self) -> None:
        """Learn from the marks what is committed, and put back every table that is beyond it."""
        stored = self._stored_state()
        self._state = replace(stored, views={**stored.views, **self._state.views})
        self._settled = True
        try:
            for table in self._tables:
                self._settle_table(table)
        except BaseException:
            self._settled = False
            raise

    def _settle_table(self, table: str) -> None:
        """Put a table back to its committed version if it is beyond it; one never committed is empty."""
        committed = self._state.versions.get(table, 0)
        place = self._state.place_of(table)
        head = self._head(place, committed, committed)
        versions = {**self._state.versions, table: head}
        if head > committed:
            self._run(
                f"INSERT OVERWRITE {self._prefix}{place}"
                f" SELECT * FROM {self._path(place)} VERSION AS OF {committed}"
            )
            versions[table] = self._head(place, head, head + 1)
        if versions != self._state.versions:
            state = replace(self._state, versions=versions)
            if head > committed:
                self._store(state)
            self._state = state

    def _head(self, place: str, floor: int, guess: int) -> int:
        """Return the newest version of what lies in a place. `floor` exists; `guess` is tried first."""
        version = guess
        while version > floor and not self._exists(place, version):
            version -= 1
        while self._exists(place, version + 1):
            version += 1
        return version

    def _exists(self, place: str, version: int) -> bool:
        """Say whether a table has a version: asked by reading it, which every server understands."""
        return self._reads(f"SELECT 1 AS one FROM {self._path(place)} VERSION AS OF {version}")

    def _reads(self, text: str) -> bool:
        def schema() -> bool:
            try:
                return self._session.sql(text).schema is not None
            except Exception as error:
                if says_wrong(error):
                    return False
                raise

        return self._ask(schema)

    def _register(self, name: str, columns: str) -> None:
        """Make a table, or make it known to this session: a catalogue need not outlive one."""
        is_there = self._reads(f"SELECT 1 AS one FROM {self._path(name)}")
        shape = "" if is_there else f" ({columns})"
        self._run(
            f"CREATE TABLE IF NOT EXISTS {self._prefix}{name}{shape}"
            f" USING delta LOCATION {quoted(f'{self._address.location}/{name}')}"
        )

    def _insert(self, how: str, table: str, sql: str) -> None:
        self._ready()
        text = self._text(sql)
        given = set(self._ask(lambda: self._session.sql(text).columns))
        if strange := given.difference(self._tables[table].column_names):
            raise ValueError(f"{table} has no columns {', '.join(sorted(strange))}")
        columns = ", ".join(_column(column, column.name in given) for column in self._tables[table].columns)
        place = f"{self._prefix}{self._lies_in(table)}"
        self._write(table, f"INSERT {how} {place} SELECT {columns} FROM ({text}) AS arriving")

    def _write(self, table: str, statement: str) -> None:
        if not self._in_transaction:
            raise ValueError(f"{table} is written outside a transaction")
        self._written[table] = self._written.get(table, 0) + 1
        self._run(statement)

    def _run(self, statement: str) -> None:
        self._ask(lambda: self._session.sql(statement).toArrow())

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask the server; after a failure of its own, connect anew before anything else is asked."""
        try:
            with answers_expected(self._place):
                return question()
        except Unavailable:
            self._connected = False
            raise

    def _text(self, sql: str) -> str:
        """Return the writer's SQL in Spark's words: tables by their names in this session, views in full."""
        names = {name: f"{self._prefix}{self._lies_in(name)}" for name in self._tables}
        names |= {name: bind(view, names) for name, view in self._state.views.items()}
        return render(bind(sql, names), "spark", instant_literal(self._now) if self._now else None)

    def _names(self, state: _State) -> set[str]:
        return {*state.versions, *state.views}

    def _lies_in(self, table: str) -> str:
        """Return where the writer finds a table: where this transaction moved it, or where it is."""
        return self._moved.get(table) or self._state.place_of(table)

    def _path(self, place: str) -> str:
        return f"delta.`{self._address.location}/{place}`"

    def _pinned(self, table: str, state: _State) -> str:
        return f"{self._path(state.place_of(table))} VERSION AS OF {state.versions[table]}"

    def _slot(self, name: str, slot: int) -> str:
        return f"{self._address.location}/{_STAGED}/{name}_{slot}"


def _columns(table: Table) -> str:
    return ", ".join(f"`{c.name}` {TYPES[c.type]}" for c in table.columns)


def _column(column: Column, is_given: bool) -> str:
    """Return a column on its way into a table. A VARIANT goes as it is: nothing casts to it but null."""
    if is_given and column.type == "variant":
        return f"`{column.name}`"
    return f"CAST({f'`{column.name}`' if is_given else 'NULL'} AS {TYPES[column.type]}) AS `{column.name}`"


def _marks_select(marks: Marks | None) -> str:
    """Return the marks as a SELECT of the dialect, so that they are of one moment with the versions."""
    shown = marks or Marks()
    clock = f"TIMESTAMP '{shown.clock.isoformat(sep=' ')}'" if shown.clock else "CAST(NULL AS TIMESTAMP)"
    models = shown.models.replace("'", "''")
    return (
        f"SELECT CAST({shown.position} AS BIGINT) AS position, CAST({shown.cycle} AS BIGINT) AS cycle,"
        f" {clock} AS clock, '{models}' AS models WHERE {'FALSE' if marks is None else 'TRUE'}"
    )


def _check_select(sql: str, names: set[str]) -> None:
    """Raise `BadRequest` unless `sql` is one SELECT over relations of ours."""
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except sqlglot.ParseError as error:
        raise BadRequest(str(error), code="sql_invalid") from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise BadRequest(
            "Only one SELECT can be run here; what it reads can never be changed.", code="sql_not_a_select"
        )
    tree = statements[0]
    known = names | {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name not in known or table.db or not isinstance(table.this, exp.Identifier):
            raise BadRequest(f"There is no relation {table.sql(dialect='duckdb')}.", code="sql_invalid")
    for function in tree.find_all(exp.Anonymous):
        if function.name.lower() in FORBIDDEN_FUNCTIONS:
            raise BadRequest(f"{function.name} cannot be used here.", code="sql_invalid")
