"""From an installation's places to what looks after its leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tekil.identity import person_key
from tekil.leads.desk import LeadDesk
from tekil.leads.runner import LOOK_US, LeadRunner, PlaybookInForce
from tekil.log import Log
from tekil.privacy import Vault
from tekil.privacy.tokens import Tokens
from tekil.store import Store
from tekil.warehouse import Warehouse

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return this instant, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def open_leads(
    store: Store,
    log: Log,
    warehouse: Warehouse,
    vault: Vault,
    zone: str,
    clock: Clock = utc_now,
    every_us: int = LOOK_US,
) -> LeadRunner:
    """Return the engine's chore that looks after leads."""

    def audiences(person_id: str) -> frozenset[str]:
        key = int(person_key(person_id) or 0)
        rows = warehouse.read(f"SELECT audience FROM members WHERE person_key = {key}")
        return frozenset(row["audience"] for row in rows.to_pylist())

    return LeadRunner(store, log, Tokens(vault), PlaybookInForce(store, zone), audiences, clock, every_us)


def open_desk(store: Store, vault: Vault, zone: str, clock: Clock = utc_now) -> LeadDesk:
    """Return what people look at leads by."""
    return LeadDesk(store, vault, PlaybookInForce(store, zone), clock)
