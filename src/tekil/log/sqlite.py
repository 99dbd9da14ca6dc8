"""The log in one SQLite file: write-ahead, synced to disk before an append returns."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from tekil.errors import Misconfigured, Unavailable
from tekil.log.protocol import READ_SCHEMA, Cipher, Entry, SourceCount

SCHEMA = """
create table if not exists entries (
  position    integer primary key autoincrement,
  received_at integer not null,
  messages    integer not null,
  source      text not null,
  door        text not null,
  key_id      integer not null,
  body        blob not null
) strict;
create table if not exists accepted (
  source text primary key,
  messages integer not null
) strict, without rowid;
"""

INSERT = "insert into entries (received_at, messages, source, door, key_id, body) values "
INSERT_ROWS = (64, 32, 16, 8, 4, 2, 1)
"""Rows in one insert: however many there are, few statements, and each is prepared once.

sqlite3 gives the interpreter's lock away and takes it back for every statement. With a statement a row, the
writer spends its time waiting for the event loop to hand the lock back, and not for the disk.
"""
INSERTS = {rows: INSERT + ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows) for rows in INSERT_ROWS}
COUNT = """
insert into accepted values (?, ?)
on conflict (source) do update set messages = messages + excluded.messages
"""
READ = """
select position, source, door, received_at, messages, key_id, body
from entries where position > ? order by position limit ?
"""
COUNTS = """
select a.source, a.messages, coalesce(w.messages, 0)
from accepted a
left join (
  select source, sum(messages) as messages from entries where position > ? group by source
) w on w.source = a.source
order by a.source
"""

PLAIN = 0
"""The key of a body that lies as it came in: none."""

BUSY_TIMEOUT_MS = 2_000
"""How long an append waits for another process's lock before the door answers 503."""


class SqliteLog:
    """A `Log` in a SQLite file. One object may be used from many threads; each call is serialised.

    Appends and reads have a connection each, so that a long read never holds up an acknowledgement.
    """

    def __init__(self, path: Path, cipher: Cipher | None = None) -> None:
        """Open the file, making it and its folder where they are missing."""
        self.path = path
        self._cipher = cipher
        self._append_lock = threading.Lock()
        self._read_lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._writer.executescript(SCHEMA)
            self._reader = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"The log at {path} cannot be opened: {error}", code="log_unavailable"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        return connection

    def append(self, entries: Sequence[Entry]) -> int:
        """See `Log.append`. One transaction, one sync, however many entries."""
        if not entries:
            return self.head()
        counts: dict[str, int] = {}
        for entry in entries:
            counts[entry.source] = counts.get(entry.source, 0) + entry.messages
        with self._append_lock:
            try:
                self._writer.execute("begin immediate")
                position = self._insert(entries)
                self._writer.executemany(COUNT, counts.items())
                self._writer.execute("commit")
            except BaseException as error:
                # Whatever went wrong: a transaction left open would fail every append after this one.
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("rollback")
                if not isinstance(error, sqlite3.Error):
                    raise
                raise Unavailable(
                    f"The log at {self.path} could not keep {len(entries)} bodies: {error}. "
                    "Free disk space or end whatever holds the file; nothing was half-written.",
                    code="log_unavailable",
                ) from error
        return position

    def _insert(self, entries: Sequence[Entry]) -> int:
        """Insert all entries in order, and return the position of the last."""
        start, position = 0, 0
        while start < len(entries):
            rows = next(rows for rows in INSERT_ROWS if rows <= len(entries) - start)
            some = entries[start : start + rows]
            values = [
                v for e in some for v in (e.received_at, e.messages, e.source, e.door, *self._seal(e.body))
            ]
            position = self._writer.execute(INSERTS[rows], values).lastrowid or position
            start += rows
        return position

    def _seal(self, body: bytes) -> tuple[int, bytes]:
        return (PLAIN, body) if self._cipher is None else self._cipher.seal(body)

    def _open(self, key_id: int, body: bytes) -> bytes:
        if key_id == PLAIN:
            return body
        if self._cipher is None:
            raise Misconfigured(
                f"The log at {self.path} is encrypted, and was opened without its keys.",
                code="log_encrypted",
            )
        return self._cipher.open(key_id, body)

    def read(self, after: int, limit: int, *, size: int = 64 << 20) -> pa.Table:
        """See `Log.read`."""
        columns: list[list[object]] = [[] for _ in READ_SCHEMA]
        read = 0
        # Closed at once: a statement left open in the middle would keep the write-ahead log from being
        # folded into the file, and it would grow without end.
        with self._reading() as reader, contextlib.closing(reader.execute(READ, (after, limit))) as rows:
            for *values, key_id, sealed in rows:
                body = self._open(key_id, sealed)
                for column, value in zip(columns, (*values, body), strict=True):
                    column.append(value)
                read += len(body)
                if read >= size:
                    break
        arrays = [
            pa.array(column, pa.binary() if name == "body" else field.type)
            for column, field, name in zip(columns, READ_SCHEMA, READ_SCHEMA.names, strict=True)
        ]
        # The door let only valid UTF-8 in, so the bytes are text as they are: a cast, not a decode.
        arrays[-1] = arrays[-1].cast(pa.string())
        return pa.Table.from_arrays(arrays, schema=READ_SCHEMA)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the reader's connection to one caller at a time; a file that fails is `Unavailable`."""
        with self._read_lock:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise Unavailable(
                    f"The log at {self.path} cannot be read: {error}.", code="log_unavailable"
                ) from error

    def replay(self, after: int = 0, limit: int = 10_000) -> Iterator[pa.Table]:
        """See `Log.replay`."""
        while (table := self.read(after, limit)).num_rows:
            yield table
            after = table["position"][-1].as_py()

    def counts(self, after: int) -> list[SourceCount]:
        """See `Log.counts`. One statement is one snapshot."""
        with self._reading() as reader:
            return [SourceCount(*row) for row in reader.execute(COUNTS, (after,))]

    def head(self) -> int:
        """See `Log.head`."""
        with self._reading() as reader:
            (position,) = reader.execute("select max(position) from entries").fetchone()
        return int(position or 0)

    def close(self) -> None:
        """See `Log.close`."""
        self._writer.close()
        self._reader.close()
