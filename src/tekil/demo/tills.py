"""The shops: what their tills send. Some customers show a card, some say a phone number, some nothing."""

from __future__ import annotations

from typing import Any

from tekil.demo.life import Life
from tekil.demo.people import Person
from tekil.demo.shopping import bill, draw_cart
from tekil.demo.truth import person_label
from tekil.demo.visits import marketing_consent
from tekil.demo.wire import Message, Purchase, instant, lira, server_context, unique, utc

STORES = (
    ("İstanbul", "Kadıköy"),
    ("İstanbul", "Akasya AVM"),
    ("Ankara", "Kızılay"),
    ("İzmir", "Karşıyaka Çarşı"),
    ("Bursa", "Nilüfer"),
    ("Denizli", "Merkez Fabrika Satış"),
)
CASHIER_PHONE = "+90 500 000 00 00"
"""What cashiers type where the till wants a number and the customer gives none."""


def buy(life: Life, person: Person | None, at: float) -> None:
    """Let somebody buy in a store; `None` is a passer-by who leaves no name."""
    rng = life.rng
    city, branch = rng.choice([store for store in STORES if person and store[0] == person.city] or STORES)
    order_id = life.order_number("M")
    properties = bill(order_id, draw_cart(rng, life.products), None, delivered=False)
    properties |= {"store": f"{city} {branch}", "payment": rng.choice(("kart", "nakit", "taksit"))}
    who, traits = _ask(life, person, order_id, at)
    at += 40  # The till asks who it is before it prints the receipt.
    index = person.index if person else -1
    purchase = Purchase(index, order_id, utc(at), "stores", lira(properties["total"]))
    message: Message = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"pos-{unique(rng)}",
        **who,
        "timestamp": instant(at),
        "properties": properties,
        "context": server_context("minderevi-kasa", traits=traits)
        if traits
        else server_context("minderevi-kasa"),
    }
    # Tills send on after closing time when the line is down.
    late = rng.uniform(1, 14) * 3_600 if rng.random() < 0.03 else rng.random() * 2
    life.send("stores", at, message, late=late, fact=purchase)
    if person:
        life.bought.add(person.index)


def _ask(
    life: Life, person: Person | None, order_id: str, at: float
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return how the till names the customer, and the traits it knows."""
    rng = life.rng
    receipt = {"anonymousId": f"fis-{order_id}"}
    if person is None:
        if rng.random() < 0.2:
            phone = life.witness.shares(
                "phone", CASHIER_PHONE, "typed by cashiers for customers who give none"
            )
            return receipt, {"phone": phone}
        return receipt, {}
    life.witness.owns(person_label(person.index), "anonymous_id", receipt["anonymousId"])
    chance = rng.random()
    if chance < 0.34:
        number = life.numbers.get(person.index)
        if number is None:
            number = _join(life, person, at)
        return {"userId": number}, {}
    if chance < 0.76:
        return receipt, {"phone": life.phone(person)}
    if chance < 0.86:
        return receipt, {"email": life.email(person, typo=0.05)}
    return receipt, {}


def _join(life: Life, person: Person, at: float) -> str:
    """Give a customer their card at the till, and send what they filled in."""
    number = life.register(person)
    traits: dict[str, Any] = {
        "phone": life.phone(person),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "city": person.city,
        "segment": "kurumsal" if person.firm else "bireysel",
    }
    if life.rng.random() < 0.5:
        traits["email"] = life.email(person, number, typo=0.05)
    wants = person.subscribes and "email" in traits
    if wants:
        life.opted_in.add(person.index)
    marketing = marketing_consent(email=wants, sms=person.subscribes, call=False, source="HS_FIZIKSEL_ORTAM")
    message: Message = {
        "type": "identify",
        "messageId": f"pos-{unique(life.rng)}",
        "userId": number,
        "timestamp": instant(at),
        "traits": traits,
        "context": server_context("minderevi-kasa", consent={"marketing": marketing}),
    }
    life.send("stores", at, message)
    return number
