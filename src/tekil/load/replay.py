"""Quarantined messages once more: chosen, mended where somebody mended them, and said again through the log.

Nothing skips the log. A message that is replayed is appended like any other, as a body of its own that names
the quarantined row it comes from (`{"replay":[position,number],"batch":[…]}`; no client can write that,
because the door packs what clients send). Loading it takes the row out of quarantine in the same transaction,
and the ledger goes on balancing: the first saying is counted as a duplicate of the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from tekil.errors import BadRequest
from tekil.load.sealing import seal_json
from tekil.load.tables import QUARANTINE, REPETITIONS
from tekil.log import Entry, Log
from tekil.messages import MESSAGE_SIZE_MAX, pack
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN, Kind
from tekil.warehouse import Warehouse

REPLAY_MAX = 10_000
"""Messages that one call replays at most."""

MARK = '{"replay":'
_EPOCH = datetime(1970, 1, 1)

RELEASES = pa.schema([("position", pa.int64()), ("number", pa.int64()), ("said_at", pa.int64())])
"""Quarantined rows, and the position of the body that says each again."""

RELEASED = """
SELECT DISTINCT q.position, q.number, q.source, q.messages FROM quarantine q
JOIN releases r ON r.position = q.position AND r.number = q.number
"""
"""The quarantined rows that replayed messages come from; what was released before is there no more."""

KEPT = """
SELECT q.* FROM quarantine q
WHERE q.position IN (SELECT position FROM released) AND NOT EXISTS (
  SELECT 1 FROM released r WHERE r.position = q.position AND r.number = q.number
)
"""
"""What stays in quarantine of the bodies of which something is released."""

SAID_BEFORE = """
SELECT DISTINCT c.message_key, r.position, r.number FROM releases r
JOIN opened c ON c.position = r.said_at AND c.number = 0
"""
"""Where in the log the first saying of what is released lies."""

MOVED = """
SELECT source, loaded, quarantined, duplicate, erased, last_received FROM (
  SELECT l.source, l.loaded, l.quarantined - coalesce(m.messages, 0) AS quarantined,
    l.duplicate + coalesce(m.messages, 0) AS duplicate, l.erased, l.last_received
  FROM new_ledger l
  LEFT JOIN (SELECT source, sum(messages) AS messages FROM released GROUP BY source) m ON m.source = l.source
) AS moved
"""
"""The ledger with what is released counted as a duplicate: it was said twice, and is loaded once."""


class Chosen(msgspec.Struct, frozen=True):
    """Which quarantined messages to replay; what is not said does not matter.

    `reason` is one of a message's reasons, `event` the event it names. `position` and `number` are one row's.
    """

    source: str | None = None
    reason: str | None = None
    event: str | None = None
    position: int | None = None
    number: int | None = None
    limit: int = REPLAY_MAX


def releases_in(bodies: pa.Table) -> pa.Table:
    """Return which quarantined rows the bodies of a cycle come from: `RELEASES`, nearly always empty."""
    marked = pc.starts_with(bodies["body"], MARK)
    if not pc.any(marked).as_py():
        return RELEASES.empty_table()
    found = bodies.filter(marked)
    said_at = found["position"].to_pylist()
    rows = [msgspec.json.decode(text, type=_Marked).replay for text in found["body"].to_pylist()]
    columns = [[row[0] for row in rows], [row[1] for row in rows], said_at]
    return pa.table(dict(zip(RELEASES.names, columns, strict=True)), RELEASES)


def release(warehouse: Warehouse, releases: pa.Table) -> bool:
    """Stage `released`, `kept_back` and the ledger with both in it; return whether anything is released."""
    warehouse.stage("releases", releases)
    warehouse.derive("released", RELEASED)
    if not warehouse.query("SELECT position FROM released LIMIT 1").num_rows:
        return False
    warehouse.derive("kept_back", KEPT)
    warehouse.derive("new_ledger", MOVED)
    return True


def write_release(warehouse: Warehouse) -> None:
    """Take what is released out of quarantine, inside the engine's transaction."""
    bodies = "(SELECT DISTINCT position FROM released) AS touched"
    warehouse.replace(QUARANTINE.name, bodies, "SELECT * FROM kept_back")
    warehouse.append(REPETITIONS.name, SAID_BEFORE)


class QuarantineDesk:
    """Looks at the quarantine and says messages of it again. Safe to use from many threads."""

    def __init__(self, log: Log, warehouse: Warehouse, vault: Vault) -> None:
        """Take the log that is appended to, the warehouse that is only read, and what opens sealed bodies."""
        self._log, self._warehouse, self._vault = log, warehouse, vault

    def find(self, chosen: Chosen) -> list[dict[str, Any]]:
        """See `find`; tokens stand in the bodies for personal values, and are understood in mended ones."""
        rows = find(self._warehouse, self._vault, chosen)
        return [{**row, "body": seal_json(row["body"], self._vault.token)} for row in rows]

    def replay(self, chosen: Chosen, mended: str | None = None) -> int:
        """See `replay`."""
        now = datetime.now(UTC).replace(tzinfo=None)
        return replay(self._log, self._warehouse, self._vault, chosen, now=now, mended=mended)


def replay(
    log: Log,
    warehouse: Warehouse,
    vault: Vault,
    chosen: Chosen,
    *,
    now: datetime,
    mended: str | None = None,
) -> int:
    """Append the chosen messages to the log again; return how many.

    `mended` is the text of one message in the place of what was sent. A message keeps its id, its source, the
    door it came in by and the instant at which it happened, so replaying it twice loads it once. Raises
    `BadRequest` where `mended` is no JSON object or too large.
    """
    rows = find(warehouse, vault, chosen)
    entries = []
    for row in rows:
        text = row["body"] if mended is None else _with_values(mended, row["body"], vault)
        message = _object(text)
        if message is None:
            if mended is not None:
                raise BadRequest("The message must be a JSON object.", code="message_invalid")
            # What is no object at all can never be loaded; it waits until somebody mends it.
            continue
        entries.append(_entry(log, row, message, now))
    for start in range(0, len(entries), 500):
        log.append(entries[start : start + 500])
    return len(entries)


def find(warehouse: Warehouse, vault: Vault, chosen: Chosen) -> list[dict[str, Any]]:
    """Return the chosen rows of the quarantine, oldest first, their bodies opened.

    Bodies put aside whole are never among them.
    """
    # A message's event stands inside its text, so which ones name it is looked at here.
    limit = "" if chosen.event is not None else f" LIMIT {int(chosen.limit)}"
    rows: list[dict[str, Any]] = warehouse.read(
        f"""
        SELECT position, number, source, received_at, reasons, body FROM quarantine
        WHERE reasons <> 'unreadable'
          AND ($source IS NULL OR source = $source)
          AND ($reason IS NULL OR strpos(',' || reasons || ',', ',' || $reason || ',') > 0)
          AND ($position IS NULL OR (position = $position AND number = $number))
        ORDER BY position, number{limit}
        """,
        {
            "source": chosen.source,
            "reason": chosen.reason,
            "position": chosen.position,
            "number": chosen.number,
        },
    ).to_pylist()
    for row in rows:
        row["body"] = vault.open_body(row["body"])
    if chosen.event is not None:
        rows = [row for row in rows if (_object(row["body"]) or {}).get("event") == chosen.event]
    return rows[: min(chosen.limit, REPLAY_MAX)]


def _with_values(mended: str, body: str, vault: Vault) -> str:
    """Return a mended message with the values of the first one in the place of their tokens."""
    values: dict[str, str] = {}

    def token(kind: Kind, value: str) -> str:
        made = vault.token(kind, value)
        values[made] = msgspec.json.encode(value).decode()[1:-1]
        return made

    seal_json(body, token)
    return TOKEN.sub(lambda match: values.get(match[0], match[0]), mended)


class _Marked(msgspec.Struct):
    replay: tuple[int, int]


class _Envelope(msgspec.Struct):
    sentAt: Any = None


def _entry(log: Log, row: Mapping[str, Any], message: dict[str, Any], now: datetime) -> Entry:
    """Return the body that says a quarantined message again, at `now`."""
    first = log.read(row["position"] - 1, 1)
    is_there = first.num_rows and first["position"][0].as_py() == row["position"]
    door = first["door"][0].as_py() if is_there else "batch"
    sent_at = _sent_at(first["body"][0].as_py()) if is_there else None
    said = _said_again(message, sent_at, row["received_at"], now)
    # Without an id of its own, a message is known by where it stood: that must not change.
    if not str(said.get("messageId") or "").strip(" "):
        said["messageId"] = f"tekil-{row['position']}-{row['number']}"
    text = msgspec.json.encode(said)
    if len(text) > MESSAGE_SIZE_MAX:
        raise BadRequest(
            f"The message is larger than {MESSAGE_SIZE_MAX // 1000} KB.", code="message_too_large"
        )
    envelope = pack([text]).body
    body = f"{MARK}[{row['position']},{row['number']}],".encode() + envelope[1:]
    return Entry(row["source"], door, (now - _EPOCH) // timedelta(microseconds=1), 1, body)


def _said_again(message: dict[str, Any], sent_at: Any, received: datetime, now: datetime) -> dict[str, Any]:
    """Return a message that happened when it happened, though it is received at `now`.

    The loader sets a sender's clock right by the delay between sending and receiving, so the instant of
    sending moves by as long as the message lay in quarantine. One that says no instant happened when it was
    first received.
    """
    if message.get("timestamp") is None and message.get("originalTimestamp") is None:
        told = {name: value for name, value in message.items() if name != "sentAt"}
        return {**told, "timestamp": received.isoformat(timespec="milliseconds") + "Z"}
    sent = _instant(message.get("sentAt", sent_at))
    if sent is None:
        return dict(message)
    return {**message, "sentAt": (sent + (now - received)).isoformat() + "Z"}


def _sent_at(body: str) -> Any:
    try:
        return msgspec.json.decode(body, type=_Envelope).sentAt
    except msgspec.MsgspecError:
        return None


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        instant = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    offset = instant.utcoffset()
    return instant if offset is None else instant.replace(tzinfo=None) - offset


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None
