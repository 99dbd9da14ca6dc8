"""Leads out of messages: what a cycle heard is kept in the store, before the cycle commits.

So a crash in between hears the same again, and the same again changes nothing: a lead is known by the key of
its message, a consent by what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from tekil.forms.intake import ConsentSaid
from tekil.leads.life import TEKIL, entry
from tekil.leads.pipelines import SALES, pipeline_of, pipelines_in_force
from tekil.messages import LEAD_SUBMITTED
from tekil.privacy.find import TOKEN
from tekil.privacy.ledger import ConsentLedger
from tekil.privacy.purposes import ADDRESS_KINDS
from tekil.store.consent_entries import Entry, entry_id
from tekil.store.leads import Lead
from tekil.warehouse import Warehouse

SAID = f"""
SELECT message_key, message_id, source, identifier_key, user_id, email, phone, anonymous_id,
  occurred_at, received_at, properties
FROM new_events WHERE event = '{LEAD_SUBMITTED}' AND type = 'track'
"""

NAMES = ("user_id", "email", "phone", "anonymous_id")
"""By what the person of a lead is found, surest first."""

OWN = frozenset({"channel", "form", "pipeline", "value", "currency", "consents"})
"""Members of what is said that have a column of their own, or are in the consent ledger."""

FACTS_MAX = 40
FACT_LENGTH_MAX = 200
VALUE_MAX = Decimal(10) ** 12

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]


def leads_said(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Return the rows of `SAID`, after `prepare` and before `keep`."""
    rows: list[dict[str, Any]] = warehouse.query(SAID).to_pylist()
    return rows


class LeadHearing:
    """Writes leads, and the consents given with them, to the store. For one thread."""

    def __init__(self, ledger: ConsentLedger) -> None:
        """Take the consent ledger, which knows the store and what stands for identifiers."""
        self._ledger, self._store = ledger, ledger.store
        self._asked = {(p.name, channel) for p in ledger.purposes for channel in p.channels}

    def hear(self, rows: Sequence[Row]) -> int:
        """Keep the leads that are not kept yet; return how many those were."""
        if not rows:
            return 0
        pipelines = pipelines_in_force(self._store.definitions)
        heard: list[Lead] = []
        consents: list[Entry] = []
        for row in rows:
            said = _object(row["properties"])
            names = [(kind, row[kind]) for kind in NAMES if row[kind]]
            pipeline = pipeline_of(pipelines, _text(said, "pipeline", SALES.name))
            heard.append(self._lead(row, said, names, pipeline.name, pipeline.first, pipeline.spec.currency))
            consents += self._consents(row, said, dict(names))
        self._store.consents.append(consents)
        received = {
            lead.id: entry(lead.received_at, TEKIL, "received", form=lead.form, channel=lead.channel)
            for lead in heard
        }
        return self._store.leads.hear(heard, received)

    def _lead(
        self, row: Row, said: Mapping[str, Any], names: Sequence[tuple[str, str]], *stands: str
    ) -> Lead:
        pipeline, stage, currency = stands
        tokens = [self._ledger.tokens.token(kind, value) for kind, value in names]
        received = microseconds(row["received_at"])
        kind, value = names[0]
        return Lead(
            id=f"{row['message_key']:016x}",
            token=tokens[0],
            other_token=tokens[1] if len(tokens) > 1 else tokens[0],
            name_kind=kind,
            name_value=value,
            identifier_key=row["identifier_key"],
            user_id=row["user_id"] or "",
            anonymous_id=row["anonymous_id"] or "",
            source=row["source"],
            channel=_text(said, "channel", "other")[:64],
            form=_text(said, "form", "")[:200],
            facts=msgspec.json.encode(facts_of(said)).decode(),
            value=_hundredths(said.get("value")),
            currency=_text(said, "currency", currency)[:3],
            created_at=microseconds(row["occurred_at"]),
            received_at=received,
            pipeline=pipeline,
            stage=stage,
            stage_since=received,
            look_at=received,
        )

    def _consents(self, row: Row, said: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[Entry]:
        """Yield the consents that were given, each for the address that it speaks of.

        A box that was left empty takes back nothing that was given before.
        """
        try:
            made = msgspec.convert(said.get("consents") or [], list[ConsentSaid])
        except msgspec.ValidationError:
            return
        at, now = microseconds(row["occurred_at"]), self._ledger.now()
        proof = {"message": row["message_id"], "form": _text(said, "form", "")}
        for consent in made:
            for channel in consent.channels if consent.given else ():
                kind = ADDRESS_KINDS.get(channel) or next(iter(names))
                if kind not in names or (consent.purpose, channel) not in self._asked:
                    continue
                token = self._ledger.tokens.token(kind, names[kind])
                yield Entry(
                    entry_id(token, consent.purpose, channel, True, at, row["source"]),
                    kind,
                    token,
                    consent.purpose,
                    channel,
                    True,
                    at,
                    now,
                    row["source"],
                    consent.version[:64],
                    msgspec.json.encode(proof, order="deterministic").decode(),
                    "lead",
                )


def facts_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a lead says that is nobody's: short members without anything personal in them."""
    found = {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in said.items()
        if name not in OWN and isinstance(value, str | int | bool | Decimal) and not _is_personal(name, value)
    }
    return dict(list(found.items())[:FACTS_MAX])


def microseconds(instant: datetime) -> int:
    """Return an instant (UTC without a zone) in microseconds since the epoch."""
    return (instant.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _is_personal(name: str, value: Any) -> bool:
    text = f"{name} {value}"
    return len(str(value)) > FACT_LENGTH_MAX or TOKEN.search(text) is not None


def _object(text: str | None) -> dict[str, Any]:
    try:
        said = msgspec.json.Decoder(float_hook=Decimal).decode(text or "{}")
    except msgspec.MsgspecError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, Any], name: str, otherwise: str) -> str:
    # PostgreSQL cannot hold a NUL, and nothing is called by one.
    value = said.get(name)
    text = value.replace("\0", "") if isinstance(value, str) else ""
    return text if text and not TOKEN.search(text) else otherwise


def _hundredths(value: Any) -> int | None:
    """Return what a lead may be worth, in hundredths; nothing for what is no amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    if not amount.is_finite() or not 0 <= amount < VALUE_MAX:
        return None
    return int((amount * 100).to_integral_value())
