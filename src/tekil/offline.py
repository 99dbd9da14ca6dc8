"""Looking at an installation whose engine is not running: its files, opened to read only."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from tekil.access.audit import Act, Actor
from tekil.access.statements import without_values
from tekil.config import Config
from tekil.definitions import parse
from tekil.engine import utc_now
from tekil.errors import Unavailable
from tekil.groupings import Groupings
from tekil.identity import IdentityDesk
from tekil.links import LinkDesk, LinkSearch
from tekil.live_reads import LiveReads
from tekil.log import open_log
from tekil.planning import Planning
from tekil.privacy import DayKeys, open_keys, open_vault
from tekil.reads import MovedPerson
from tekil.scores import scores_on
from tekil.store import Card, open_store
from tekil.warehouse import Warehouse, open_warehouse

LIBRARY = Actor("system", "library")


class Files:
    """The answers of `tekil.library.Tekil`, from the files."""

    def __init__(self, settings: Config) -> None:
        """Open the three places. Raises `Unavailable` where another process owns the warehouse."""
        self._warehouse = _open_warehouse(settings)
        self._store = open_store(settings.resolve(settings.store))
        keys = open_keys(settings, self._store)
        self._log = open_log(settings.resolve(settings.log), DayKeys(keys))
        vault = open_vault(self._store, keys)
        self._reads = LiveReads(self._log, self._warehouse, self._store, vault)
        self._planning = Planning(self._store, self._reads, settings.workspace.timezone)
        self.identity = IdentityDesk(self._log, self._warehouse, self._store, vault)
        self.groupings = Groupings(self._reads, self._store, vault)
        self.links = LinkDesk(self._log, self._warehouse, self._store, vault, self.identity)

    def sql(self, statement: str) -> pa.Table:
        """See `Tekil.sql`."""
        table = self._reads.sql(statement)
        asked = without_values(statement)
        self._store.audit.append(LIBRARY, Act.SQL_RUN, "warehouse", statement=asked, rows=table.num_rows)
        return table

    def profile(self, reference: str, *, reveal: str | None = None) -> dict[str, Any]:
        """See `Tekil.profile`."""
        try:
            card = self._reads.profile(reference, reveal=reveal is not None)
        except MovedPerson as moved:
            card = self._reads.profile(moved.person_id, reveal=reveal is not None)
        identifiers = [{"kind": i.kind, "value": i.value} for i in card.identifiers]
        scores = msgspec.to_builtins(scores_on(card.body, utc_now()))
        told = {k: v for k, v in card.as_dict().items() if k not in ("formulas", "grades")}
        return {**told, "scores": scores, "identifiers": identifiers}

    def ledger(self) -> dict[str, Any]:
        """See `Tekil.ledger`."""
        told: dict[str, Any] = msgspec.to_builtins(self._reads.ledger())
        return told

    def plan(self, text: str, *, prune: bool = False) -> dict[str, Any]:
        """See `Tekil.plan`."""
        told: dict[str, Any] = msgspec.to_builtins(self._planning.plan(parse(text), prune=prune))
        return told

    def explain(self, identifier: str, other: str | None = None) -> dict[str, Any]:
        """See `Tekil.explain`."""
        told: dict[str, Any] = msgspec.to_builtins(self.identity.explain(identifier, other))
        return told

    def plan_identity(self, act: str, one: str, other: str | None) -> dict[str, Any]:
        """See `Tekil.plan_identity`."""
        plan = self.identity.plan(act, one, other)
        told: dict[str, Any] = msgspec.to_builtins(self.identity.masked(plan))
        return told

    def apply_identity(
        self, act: str, one: str, other: str | None, *, reason: str, by: Actor
    ) -> dict[str, Any]:
        """See `Tekil.apply_identity`. The engine acts on it when it is started."""
        plan = self.identity.plan(act, one, other)
        self.identity.say(plan, by=by.name, reason=reason)
        people = tuple(party.person_id for party in plan.people)
        self._store.audit.append(by, Act.IDENTITY_SAID, "person", people[0], said=plan.act, people=people)
        told: dict[str, Any] = msgspec.to_builtins(self.identity.masked(plan))
        return told

    def run_links(self, *, by: Actor) -> dict[str, Any]:
        """See `Tekil.run_links`. The engine acts on it when it is started."""
        told: dict[str, Any] = msgspec.to_builtins(LinkSearch(self.links, self._store).run(by))
        return told

    def link_queue(self, decision: str, limit: int) -> list[dict[str, Any]]:
        """See `Tekil.link_queue`."""
        told: list[dict[str, Any]] = msgspec.to_builtins(self.links.queue(decision, limit))
        return told

    def decide_link(self, pair: str, decision: str, *, by: Actor) -> dict[str, Any]:
        """See `Tekil.decide_link`."""
        decided = self.links.decide(pair, decision, by=by.name)
        self._store.audit.append(by, Act.IDENTITY_SAID, "links", pair, said=decision)
        told: dict[str, Any] = msgspec.to_builtins(decided)
        return told

    def link_trust(self) -> list[dict[str, Any]]:
        """See `Tekil.link_trust`."""
        told: list[dict[str, Any]] = msgspec.to_builtins(self.links.trust())
        return told

    def organisations(self, text: str, limit: int) -> list[dict[str, Any]]:
        """See `Tekil.organisations`."""
        told: list[dict[str, Any]] = msgspec.to_builtins(self.groupings.organisations(text, limit))
        return told

    def organisation(self, reference: str) -> dict[str, Any]:
        """See `Tekil.organisation`."""
        told: dict[str, Any] = msgspec.to_builtins(self.groupings.organisation(reference))
        people = self.groupings.organisation_people(reference)
        return {**told, "people": [_named(one.card) for one in people.members]}

    def households(self, limit: int) -> list[dict[str, Any]]:
        """See `Tekil.households`."""
        told: list[dict[str, Any]] = msgspec.to_builtins(self.groupings.households(limit))
        return told

    def household(self, reference: str) -> dict[str, Any]:
        """See `Tekil.household`."""
        household, members = self.groupings.household(reference)
        told: dict[str, Any] = msgspec.to_builtins(household)
        return {"household": told, "people": [_named(one.card) for one in members]}

    def close(self) -> None:
        """Let go of the files."""
        for place in (self._log, self._store, self._warehouse):
            place.close()


def _named(card: Card) -> dict[str, Any]:
    identifiers = [{"kind": i.kind, "value": i.value} for i in card.identifiers]
    return {"person_id": card.person_id, "identifiers": identifiers}


def _open_warehouse(settings: Config) -> Warehouse:
    try:
        return open_warehouse(settings.resolve(settings.warehouse), read_only=True)
    except Unavailable as error:
        raise Unavailable(
            f"{error.message} If Tekil was started just now, try again in a moment.", code=error.code
        ) from error
