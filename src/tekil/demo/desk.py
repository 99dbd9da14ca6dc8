"""People who talk to people: the call centre, and the desk that quotes prices to companies."""

from __future__ import annotations

from typing import Any

from tekil.demo.catalogue import choose_category
from tekil.demo.life import Life
from tekil.demo.people import Firm, Person
from tekil.demo.truth import person_label
from tekil.demo.visits import marketing_consent
from tekil.demo.wire import Message, instant, server_context, unique
from tekil.messages import LEAD_SUBMITTED

AGENTS = ("Gülşen", "Bahadır", "Şeyma", "İsmet", "Çağla")
TOPICS = ("kargom nerede", "iade", "ürün sorusu", "mağaza stoğu", "fatura", "listeden çıkmak istiyorum")
TOPIC_WEIGHTS = (38, 20, 22, 10, 8, 2)
HOUR = 3_600.0


def call(life: Life, person: Person, at: float) -> None:
    """Let a person ring the call centre. Their phone is known at once; their number when the agent asks."""
    rng = life.rng
    caller = {
        "anonymousId": life.witness.owns(
            person_label(person.index), "anonymous_id", f"cagri-{unique(rng)[:13]}"
        )
    }
    context = server_context("minderevi-santral", traits={"phone": life.phone(person)})
    wait = rng.expovariate(1 / 45)
    _send(life, "call-centre", at, "Call Received", caller, {"line": "0850 000 00 00"}, context)
    if wait > 180:
        _send(life, "call-centre", at + 180, "Call Abandoned", caller, {"wait_seconds": 180}, context)
        return
    topic = rng.choices(TOPICS, TOPIC_WEIGHTS)[0]
    details = {"agent": rng.choice(AGENTS), "topic": topic, "wait_seconds": round(wait)}
    number = life.numbers.get(person.index)
    at += wait
    if number is not None and rng.random() < 0.55:
        caller["userId"] = number
        traits = {"phone": life.phone(person), "first_name": person.first_name, "last_name": person.last_name}
        _identify(life, "call-centre", at + 20, caller, traits, context)
    _send(life, "call-centre", at + 1, "Call Answered", caller, details, context)
    if topic.startswith("listeden"):
        refusal = marketing_consent(email=False, sms=False, call=False, source="HS_CAGRI_MERKEZI")
        life.opted_out.add(person.index)
        consent = {**context, "consent": {"marketing": refusal}}
        _send(life, "call-centre", at + 90, "Marketing Opted Out", caller, refusal, consent)


def ask_for_quote(life: Life, person: Person, firm: Firm, at: float) -> None:
    """Let a company ask for a price, get one, and take it or leave it over the following days."""
    rng = life.rng
    who = {
        "anonymousId": life.witness.owns(
            person_label(person.index), "anonymous_id", f"teklif-{unique(rng)[:13]}"
        )
    }
    shared = rng.random() < 0.4
    mailbox = (
        life.witness.shares("email", firm.mailbox, "a company's mailbox") if shared else life.email(person)
    )
    traits = {
        "email": mailbox,
        "phone": life.phone(person),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "company": firm.name,
        "segment": "kurumsal",
    }
    context = server_context("minderevi-kurumsal")
    quantity = rng.choice((50, 80, 120, 200, 400, 750))
    quote = {
        "quote_id": f"T{life.order_number('')}",
        "company": firm.name,
        "category": choose_category(rng).name,
        "quantity": quantity,
        "budget": quantity * rng.randrange(150, 900, 10),
        "currency": "TRY",
        "logo_printing": rng.random() < 0.5,
    }
    _identify(life, "corporate", at, who, traits, context)
    _group(life, at + 1, who, firm, person)
    _send(life, "corporate", at + 2, "Teklif İstendi", who, quote, context)
    _ask_to_be_called(life, at + 3, who, quote, {**context, "traits": {"email": mailbox}})
    if rng.random() < 0.85:
        at += rng.uniform(2, 30) * HOUR
        _send(life, "corporate", at, "Teklif Gönderildi", who, quote, context)
        if rng.random() < 0.7:
            outcome = "Teklif Kabul Edildi" if rng.random() < 0.32 else "Teklif Reddedildi"
            _send(life, "corporate", at + rng.uniform(20, 300) * HOUR, outcome, who, quote, context)


def _ask_to_be_called(
    life: Life, at: float, who: dict[str, str], quote: dict[str, Any], context: dict[str, Any]
) -> None:
    """Let somebody who wants a price be a lead. It takes no chance of its own: all else stays as it was."""
    message: Message = {
        "type": "track",
        "event": LEAD_SUBMITTED,
        "messageId": f"lead-{quote['quote_id']}",
        **who,
        "properties": {
            "channel": "email",
            "value": quote["budget"],
            "currency": quote["currency"],
            "category": quote["category"],
            "quantity": quote["quantity"],
        },
        "timestamp": instant(at),
        "context": context,
    }
    life.send("corporate", at, message)


def _group(life: Life, at: float, who: dict[str, str], firm: Firm, person: Person) -> None:
    message: Message = {
        "type": "group",
        "messageId": unique(life.rng),
        **who,
        "groupId": firm.tax_number,
        "traits": {
            "name": firm.name,
            "industry": firm.trade,
            "city": person.city,
            "tax_number": firm.tax_number,
        },
        "timestamp": instant(at),
        "context": server_context("minderevi-kurumsal"),
    }
    life.send("corporate", at, message)


def _identify(
    life: Life, source: str, at: float, who: dict[str, str], traits: dict[str, Any], context: dict[str, Any]
) -> None:
    message: Message = {
        "type": "identify",
        "messageId": unique(life.rng),
        **who,
        "traits": traits,
        "timestamp": instant(at),
        "context": context,
    }
    life.send(source, at, message)


def _send(
    life: Life,
    source: str,
    at: float,
    event: str,
    who: dict[str, str],
    properties: dict[str, Any],
    context: dict[str, Any],
) -> None:
    message: Message = {
        "type": "track",
        "event": event,
        "messageId": unique(life.rng),
        **who,
        "properties": properties,
        "timestamp": instant(at),
        "context": context,
    }
    life.send(source, at, message)
