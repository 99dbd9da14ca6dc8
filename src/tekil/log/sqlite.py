"""The log in one SQLite file: write-ahead, synced to disk before an append returns."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec
import pyarrow as pa

from tekil.errors import Misconfigured, Unavailable
from tekil.log.pages import (
    count,
    decode_page,
    encode_counts,
    encode_page,
    place_of,
    position_of,
    split,
)
from tekil.log.protocol import READ_SCHEMA, Cipher, Entry, SourceCount

SCHEMA = """
create table if not exists pages (
  page    integer primary key autoincrement,
  bodies  integer not null,
  counts  text not null,
  key_id  integer not null,
  content blob not null
) strict;
create table if not exists accepted (
  source text primary key,
  messages integer not null
) strict, without rowid;
create trigger if not exists pages_accepted after insert on pages begin
  insert into accepted select key, value from json_each(new.counts) where true
  on conflict (source) do update set messages = messages + excluded.messages;
end;
"""
"""The trigger counts, so that an append is one statement: sqlite3 gives the interpreter's lock away and takes
it back for each, and the writer would spend its time waiting for the event loop to hand it back."""

APPEND = "insert into pages (bodies, counts, key_id, content) values "
PAGE = "(?, ?, ?, ?)"
READ = "select page, key_id, content from pages where page >= ? order by page"
READ_BEGUN = "select 1 from pages where page = ? and bodies > ?"
WAITING = """
select w.key, sum(w.value) from pages, json_each(pages.counts) w where page > ? group by w.key
"""
OLDEST = "select page, key_id, bodies from pages order by page limit ?"
HEAD = "select page, bodies from pages order by page desc limit 1"

PLAIN = 0
"""The key of a page that lies as it came in: none."""

BUSY_TIMEOUT_MS = 2_000
"""How long an append waits for another process's lock before the door answers 503."""

Row = tuple[int, Entry]
"""A position and what lies there."""


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
            self._hasty = self._connect(patience_ms=0)
            self._reader = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"The log at {path} cannot be opened: {error}", code="log_unavailable"
            ) from error

    def _connect(self, patience_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma secure_delete = on")
        connection.execute(f"pragma busy_timeout = {patience_ms}")
        return connection

    def append(self, entries: Sequence[Entry]) -> int:
        """See `Log.append`. One statement is one transaction and one sync, however many entries."""
        if not entries:
            return self.head()
        with self._append_lock:
            try:
                return self._insert(self._writer, entries)
            except sqlite3.Error as error:
                raise self._refused(f"keep {len(entries)} bodies", error) from error

    def append_at_once(self, entries: Sequence[Entry]) -> int | None:
        """See `Log.append_at_once`. Nothing is waited for but the sync."""
        if not entries or not self._append_lock.acquire(blocking=False):
            return None
        try:
            return self._insert(self._hasty, entries)
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return None
            raise self._refused(f"keep {len(entries)} bodies", error) from error
        finally:
            self._append_lock.release()

    def _insert(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> int:
        pages = list(split(entries))
        values = [value for page in pages for value in self._row(page)]
        last = connection.execute(APPEND + ", ".join([PAGE] * len(pages)), values).lastrowid or 0
        return position_of(last, len(pages[-1]) - 1)

    def _row(self, entries: Sequence[Entry]) -> tuple[int, str, int, bytes]:
        """Return a page's columns in the order of `APPEND`."""
        content = encode_page(entries)
        key_id, sealed = (PLAIN, content) if self._cipher is None else self._cipher.seal(content)
        return len(entries), encode_counts(count(entries)).decode(), key_id, sealed

    def _refused(self, what: str, error: sqlite3.Error) -> Unavailable:
        return Unavailable(
            f"The log at {self.path} could not {what}: {error}. "
            "Free disk space or end whatever holds the file; nothing was half-written.",
            code="log_unavailable",
        )

    def _open(self, key_id: int, content: bytes) -> list[Entry]:
        return decode_page(content if key_id == PLAIN else self._cipher_of(key_id).open(key_id, content))

    def _cipher_of(self, key_id: int) -> Cipher:
        if self._cipher is None:
            raise Misconfigured(
                f"The log at {self.path} is encrypted (key {key_id}), and was opened without its keys.",
                code="log_encrypted",
            )
        return self._cipher

    def read(self, after: int, limit: int, *, size: int = 64 << 20) -> pa.Table:
        """See `Log.read`."""
        rows: list[Row] = []
        read = 0
        for row in self._rows_after(after):
            if len(rows) == limit or read >= size:
                break
            rows.append(row)
            read += len(row[1].body)
        return _table(rows)

    def _rows_after(self, after: int) -> Iterator[Row]:
        """Yield what lies after a position, page by page; each page is a statement of its own.

        A statement left open in the middle would keep the write-ahead log from being folded into the file,
        and it would grow without end.
        """
        page, place = place_of(after)
        start = place + 1
        with self._reading() as reader:
            begun = reader.execute(READ_BEGUN, (page, start)).fetchone()
        if begun is None:
            page, start = page + 1, 0
        while found := self._page_from(page):
            number, entries = found
            for at in range(start if number == page else 0, len(entries)):
                yield position_of(number, at), entries[at]
            page, start = number + 1, 0

    def _page_from(self, page: int) -> tuple[int, list[Entry]] | None:
        """Return the first page from a number on, and its number."""
        with self._reading() as reader:
            row = reader.execute(f"{READ} limit 1", (page,)).fetchone()
        return None if row is None else (row[0], self._open(row[1], row[2]))

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

    def rewrite(self, positions: Sequence[int], change: Callable[[int, bytes], bytes]) -> int:
        """See `Log.rewrite`. A page a transaction; then the write-ahead log's copies are wiped."""
        changed = 0
        for page, places in groupby(sorted(set(positions)), key=lambda position: place_of(position)[0]):
            changed += self._rewrite_page(page, {place_of(position)[1] for position in places}, change)
        if changed:
            self._empty_write_ahead_log()
        return changed

    def _rewrite_page(self, page: int, places: set[int], change: Callable[[int, bytes], bytes]) -> int:
        with self._append_lock:
            try:
                row = self._writer.execute(
                    "select key_id, content from pages where page = ?", (page,)
                ).fetchone()
                if row is None:
                    return 0
                entries = self._open(*row)
                wanted = sorted(place for place in places if place < len(entries))
                for place in wanted:
                    entry = entries[place]
                    body = change(position_of(page, place), entry.body)
                    entries[place] = msgspec.structs.replace(entry, body=body)
                content = encode_page(entries)
                if row[0] != PLAIN:
                    content = self._cipher_of(row[0]).reseal(row[0], content)
                self._writer.execute("update pages set content = ? where page = ?", (content, page))
            except sqlite3.Error as error:
                raise self._refused(f"rewrite page {page}", error) from error
        return len(wanted)

    def _empty_write_ahead_log(self) -> None:
        """Fold the write-ahead log into the file and cut it to nothing; `Unavailable` where one reads on."""
        with self._append_lock:
            try:
                (busy, _, _) = self._writer.execute("pragma wal_checkpoint(truncate)").fetchone()
            except sqlite3.Error as error:
                raise self._refused("empty its write-ahead log", error) from error
        if busy:
            raise Unavailable(
                f"The log at {self.path} is being read by somebody who does not let go, so copies of what "
                "was rewritten may lie in its write-ahead log. Ask again.",
                code="log_unavailable",
            )

    def forget(self, keys: Collection[int], up_to: int, limit: int) -> int:
        """See `Log.forget`. The reader looks for them, so that writers wait for the deletion alone."""
        last, _ = place_of(self.head())
        found = [
            (page, bodies)
            for page, key_id, bodies in self._oldest(limit)
            if key_id in keys and page < last and position_of(page, bodies - 1) <= up_to
        ]
        if not found:
            return 0
        with self._append_lock:
            try:
                self._writer.execute("begin immediate")
                self._writer.executemany("delete from pages where page = ?", [(page,) for page, _ in found])
                self._writer.execute("commit")
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("rollback")
                raise self._refused("let go of old pages", error) from error
        return sum(bodies for _, bodies in found)

    def oldest_keys(self, limit: int) -> set[int]:
        """See `Log.oldest_keys`."""
        return {key_id for _, key_id, _ in self._oldest(limit)}

    def _oldest(self, limit: int) -> list[tuple[int, int, int]]:
        with self._reading() as reader:
            found: list[tuple[int, int, int]] = reader.execute(OLDEST, (limit,)).fetchall()
        return found

    def counts(self, after: int) -> list[SourceCount]:
        """See `Log.counts`. One transaction is one snapshot."""
        page, place = place_of(after)
        with self._reading() as reader:
            reader.execute("begin")
            try:
                accepted = reader.execute("select source, messages from accepted order by source").fetchall()
                waiting = dict(reader.execute(WAITING, (page,)).fetchall())
                rest = reader.execute(
                    "select counts, bodies, key_id, content from pages where page = ?", (page,)
                ).fetchone()
            finally:
                reader.execute("commit")
        if rest is not None and place + 1 < rest[1]:
            for source, messages in count(self._open(rest[2], rest[3])[place + 1 :]).items():
                waiting[source] = waiting.get(source, 0) + messages
        return [SourceCount(source, messages, waiting.get(source, 0)) for source, messages in accepted]

    def head(self) -> int:
        """See `Log.head`."""
        with self._reading() as reader:
            row = reader.execute(HEAD).fetchone()
        return 0 if row is None else position_of(row[0], row[1] - 1)

    def close(self) -> None:
        """See `Log.close`."""
        for connection in (self._writer, self._hasty, self._reader):
            connection.close()


def _table(rows: Sequence[Row]) -> pa.Table:
    """Return rows in `READ_SCHEMA`."""
    entries = [entry for _, entry in rows]
    columns = {
        "position": pa.array([position for position, _ in rows], pa.int64()),
        "source": pa.array([entry.source for entry in entries], pa.string()),
        "door": pa.array([entry.door for entry in entries], pa.string()),
        "received_at": pa.array([entry.received_at for entry in entries], pa.timestamp("us")),
        "messages": pa.array([entry.messages for entry in entries], pa.int32()),
        # The door let only valid UTF-8 in, so the bytes are text as they are: a cast, not a decode.
        "body": pa.array([entry.body for entry in entries], pa.binary()).cast(pa.string()),
    }
    return pa.Table.from_arrays([columns[name] for name in READ_SCHEMA.names], schema=READ_SCHEMA)
