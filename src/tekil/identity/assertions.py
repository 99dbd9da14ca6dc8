"""Saying outright who is who: planned first, then said through the log like everything else.

A merge is a record `{"object": "identity_assertion", "key": {"left", "right"}, "fields": {"act": "merge"}}`;
so is a split, and the withdrawal of either. Nothing is edited: of what was said of two identifiers the last
word counts, and a replay or a rebuild gives the same persons.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from tekil.errors import BadRequest, NotFound, TekilError
from tekil.identifiers import Policy
from tekil.identity.explain import Explanation, explain
from tekil.identity.keys import identifier_key, person_id, person_key
from tekil.identity.overview import Overview, look_over
from tekil.identity.portrait import Portrait, portray
from tekil.identity.sql import ACTS, ASSERTION
from tekil.load import sealed_identifier
from tekil.log import Entry, Log
from tekil.messages import pack
from tekil.privacy import Vault
from tekil.privacy.find import TOKEN
from tekil.store import Store
from tekil.warehouse import Warehouse

SOURCE = "tekil-identity"
"""The source by which people's word on who is who is told from all others."""

Told = TypeVar("Told")

KEPT_TIMES = 50
"""An overview is kept for so many times what it took: looking at it all day costs a fiftieth of a core."""

QUICK_SECONDS = 0.05
"""An overview that takes no longer is looked at anew each time; any other is had ready (`step`)."""

EFFECTS = {
    "merge_two": "Two people become one.",
    "merge_one": "They are one person already; they stay so.",
    "split_two": "They are two people already; nothing will ever join them.",
    "split_one": "One person becomes two: each identifier goes where the stronger evidence leads.",
    "share": "The identifier joins nobody any more; whoever it joined is told apart by what else there is.",
    "withdraw": "What was said of them no longer counts.",
    "withdraw_nothing": "Nothing was said of them; nothing changes.",
}
"""What saying something does: outcome → in words."""

_EPOCH = datetime(1970, 1, 1)


class Party(msgspec.Struct, frozen=True):
    """A person as a plan shows them."""

    person_id: str
    identifiers: int
    events: int


class Plan(msgspec.Struct, frozen=True):
    """What would be said, of which identifiers (`kind:value`, personal values as tokens), and of whom.

    `effect` is what it would do, in words, and `outcome` the same as a code, such as `merge_two`.
    """

    act: str
    left: str
    right: str
    people: list[Party]
    effect: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """An overview, until when (of the monotonic clock) it is good, and whether it took long."""

    overview: Overview
    until: float
    took_long: bool


class IdentityDesk:
    """Explains persons; plans and says who is who. References are person ids, or `kind:value`.

    Safe to use from many threads: it reads what is committed, and appends to the log.
    """

    def __init__(self, log: Log, warehouse: Warehouse, store: Store, vault: Vault) -> None:
        """Take the log that is appended to, the warehouse that is read, and what knows policy and values."""
        self._log, self._warehouse, self._store, self._vault = log, warehouse, store, vault
        self._kept: Looked | None = None
        self._looking = threading.Lock()
        self._is_watched = False

    def key(self, reference: str) -> int:
        """Return the key of the identifier that a reference names. Raises `NotFound` for what can be none."""
        kind, colon, value = reference.partition(":")
        if not colon and (key := person_key(reference)) is not None:
            return key
        policy = Policy.read(self._store.definitions)
        # A token stands for itself: so the tables name identifiers, and whoever goes by them.
        is_token = TOKEN.fullmatch(value) is not None
        sealed = value if is_token else sealed_identifier(kind, value, self._vault, policy)
        if not colon or sealed is None:
            raise _unknown(reference)
        return identifier_key(kind, sealed)

    def explain(self, reference: str, other: str | None = None) -> Explanation:
        """Return why an identifier is of its person, or of one person with another; values are masked.

        Raises `NotFound` where one of them is not known.
        """
        accept = Policy.read(self._store.definitions).accepted_weight
        keys = self.key(reference), None if other is None else self.key(other)
        found = explain(self._warehouse, *keys, accept)
        if found is None:
            raise _unknown(reference if other is None else f"{reference} or {other}")
        return self._shown(found, Explanation)

    def plan(self, act: str, one: str, other: str | None = None) -> Plan:
        """Return what saying `act` (merge, split, withdraw, share) of one or two identifiers would do.

        Raises `NotFound` where nobody is known by one of them, `BadRequest` where it makes no sense.
        """
        if act not in ACTS:
            raise BadRequest(f"There is no {act!r}; there are {', '.join(ACTS)}.", code="act_unknown")
        left, right = self.key(one), self.key(other or one)
        if (left == right) != (act == "share") and act != "withdraw":
            wanted = "one identifier" if act == "share" else "two different identifiers"
            raise BadRequest(f"To {act}, name {wanted}.", code="identifiers_wrong")
        rows = {row["identifier_key"]: row for row in self._identity([left, right])}
        for key, reference in ((left, one), (right, other or one)):
            if key not in rows:
                raise _unknown(reference)
        people = list(dict.fromkeys(rows[key]["person_key"] for key in (left, right)))
        outcome = _outcome(act, is_one=len(people) == 1, is_said=self._is_said(left, right))
        parties = self._parties(people)
        return Plan(act, _name(rows[left]), _name(rows[right]), parties, EFFECTS[outcome], outcome)

    def portray(self, reference: str) -> Portrait:
        """Return a person as a picture; values are masked. Raises `NotFound` where there is none such."""
        key = person_key(reference)
        found = None if key is None else portray(self._warehouse, key)
        if found is None:
            raise _unknown(reference)
        return self._shown(found, Portrait)

    def look_over(self) -> Overview:
        """Return identity at large; values are masked. What took long is kept for a while."""
        kept = self._kept
        if kept is not None and (self._is_watched or time.monotonic() < kept.until) and kept.took_long:
            return kept.overview
        return self._look().overview

    def step(self) -> bool:
        """Have an overview ready that takes long, so that nobody waits for it. A chore: always False."""
        self._is_watched = True
        kept = self._kept
        is_due = kept is None or (kept.took_long and time.monotonic() >= kept.until)
        if is_due and self._looking.acquire(blocking=False):
            # Not on the engine's own thread, which messages wait for.
            threading.Thread(target=self._look_aside, name="overview").start()
        return False

    def _look_aside(self) -> None:
        try:
            self._look()
        except TekilError:
            # The warehouse is being closed, or busy; it is looked again.
            return
        finally:
            self._looking.release()

    def _look(self) -> Looked:
        started = time.monotonic()
        found = self._shown(look_over(self._warehouse, datetime.now(UTC).date()), Overview)
        seconds = time.monotonic() - started
        looked = self._kept = Looked(found, started + seconds * KEPT_TIMES, seconds > QUICK_SECONDS)
        return looked

    def _shown(self, told: Told, of: type[Told]) -> Told:
        shown = self._vault.show([msgspec.json.encode(told).decode()], is_json=True)[0]
        return msgspec.json.decode(shown, type=of)

    def masked(self, plan: Plan) -> Plan:
        """Return a plan as people may see it: with masks in the place of tokens."""
        left, right = self._vault.show([plan.left, plan.right])
        return msgspec.structs.replace(plan, left=left, right=right)

    def say(self, plan: Plan, *, by: str, reason: str = "") -> str:
        """Append a plan to the log; the engine acts on it in its next cycle. Returns the message's id."""
        if self._kept is not None:
            self._kept = replace(self._kept, until=0.0)
        left, right = sorted([plan.left, plan.right])
        message_id = f"identity-{uuid.uuid4()}"
        now = datetime.now(UTC).replace(tzinfo=None)
        message = {
            "type": "record",
            "object": ASSERTION,
            "messageId": message_id,
            "timestamp": now.isoformat() + "Z",
            "key": {"left": left, "right": right},
            "fields": {"act": plan.act, "by": by, "reason": reason},
        }
        packed = pack([msgspec.json.encode(message)])
        at = (now - _EPOCH) // timedelta(microseconds=1)
        self._log.append([Entry(SOURCE, "batch", at, packed.messages, packed.body)])
        return message_id

    def _identity(self, keys: Sequence[int]) -> list[dict[str, Any]]:
        listed = ", ".join(str(int(key)) for key in keys)
        rows: list[dict[str, Any]] = self._warehouse.read(
            f"SELECT identifier_key, kind, value, person_key FROM identity WHERE identifier_key IN ({listed})"
        ).to_pylist()
        return rows

    def _is_said(self, left: int, right: int) -> bool:
        rows = self._warehouse.read(
            "SELECT arg_max(act, last_seen) AS act FROM evidence WHERE how = 'asserted'"
            " AND left_key = $left AND right_key = $right",
            {"left": min(left, right), "right": max(left, right)},
        ).to_pylist()
        return bool(rows) and rows[0]["act"] not in (None, "withdraw")

    def _parties(self, people: Sequence[int]) -> list[Party]:
        listed = ", ".join(str(int(key)) for key in people)
        rows = self._warehouse.read(f"""
            SELECT i.person_key, count(*) AS identifiers, max(a.events) AS events
            FROM identity i LEFT JOIN activity a ON a.person_key = i.person_key
            WHERE i.person_key IN ({listed}) GROUP BY i.person_key
        """).to_pylist()
        found = {row["person_key"]: row for row in rows}
        return [
            Party(person_id(key), found[key]["identifiers"], found[key]["events"] or 0)
            for key in people
            if key in found
        ]


def _unknown(reference: str) -> NotFound:
    return NotFound(f"Nobody is known as {reference!r}.", code="person_unknown")


def _name(row: dict[str, Any]) -> str:
    return f"{row['kind']}:{row['value']}"


def _outcome(act: str, *, is_one: bool, is_said: bool) -> str:
    if act in ("merge", "split"):
        return f"{act}_one" if is_one else f"{act}_two"
    return act if act == "share" or is_said else "withdraw_nothing"
