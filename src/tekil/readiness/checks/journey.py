"""Is the customers' journey mapped: is each stage of it said by somebody, and defined in the dictionary?"""

from __future__ import annotations

from collections.abc import Iterable

from tekil.dictionary import Dictionary
from tekil.dictionary.model import STAGES, Stage
from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Point
from tekil.readiness.sight import Sight, Traffic

NAMES: dict[Stage, Words] = {
    "visit": Words("ziyaret", "visit"),
    "interest": Words("ilgi", "interest"),
    "intent": Words("niyet", "intent"),
    "sign_up": Words("kayıt", "sign-up"),
    "purchase": Words("satın alma", "purchase"),
    "loyalty": Words("sadakat", "loyalty"),
}

WELL_KNOWN: dict[Stage, frozenset[str]] = {
    "visit": frozenset({"page viewed", "screen viewed", "application opened", "session started"}),
    "interest": frozenset(
        {"product viewed", "product list viewed", "products searched", "video watched", "article read"}
    ),
    "intent": frozenset(
        {"product added", "cart viewed", "checkout started", "product added to wishlist"}
        | {"form submitted", "lead generated", "demo requested", "trial started"}
    ),
    "sign_up": frozenset({"signed up", "account created", "signup completed", "registration completed"}),
    "purchase": frozenset({"order completed", "subscription started", "payment succeeded", "purchase"}),
    "loyalty": frozenset(
        {"order reviewed", "product reviewed", "subscription renewed", "invited friend", "coupon redeemed"}
        | {"product shared", "loyalty points earned", "order refunded"}
    ),
}
"""Events as the published specs for shops and subscriptions call them, in plain letters, by stage."""


def plain(name: str) -> str:
    """Return an event's name in one spelling: `Order_Completed` and `order completed` are the same.

    >>> plain("Order_Completed ")
    'order completed'
    """
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def stage_of(name: str, dictionary: Dictionary) -> Stage | None:
    """Return the stage that an event belongs to: as the dictionary says, or else as its name is known."""
    defined = dictionary.find(name)
    if defined is not None and defined.spec.stage is not None:
        return defined.spec.stage
    return next((stage for stage, names in WELL_KNOWN.items() if plain(name) in names), None)


def seen_stages(traffic: Iterable[Traffic], dictionary: Dictionary) -> dict[Stage, list[str]]:
    """Return, by stage, the events that were said lately, the most frequent first. Pages are visits."""
    found: dict[Stage, list[str]] = {}
    for one in traffic:
        if one.type in ("page", "screen"):
            found.setdefault("visit", [])
        elif one.type == "track" and (stage := stage_of(one.name, dictionary)) is not None:
            names = found.setdefault(stage, [])
            if one.name not in names:
                names.append(one.name)
    return found


def _look(sight: Sight) -> list[Point]:
    seen = seen_stages(sight.traffic, sight.dictionary)
    return [_point(stage, seen, sight.dictionary) for stage in STAGES]


def _point(stage: Stage, seen: dict[Stage, list[str]], dictionary: Dictionary) -> Point:
    name = NAMES[stage]
    if stage not in seen:
        return Point(
            "missing",
            Words(
                "“{stage}” aşamasından son 30 günde hiçbir olay gelmedi.",
                "No event of the stage “{stage}” came in the last 30 days.",
            ),
            {"stage": name},
            fix=Words(
                "Bu aşamanın olayını gönderin ya da sözlükte bir olayın aşamasını seçin.",
                "Send an event of this stage, or choose the stage of an event in the dictionary.",
            ),
            link="/dictionary",
        )
    undefined = [event for event in seen[stage] if dictionary.find(event) is None]
    if undefined and len(undefined) == len(seen[stage]):
        return Point(
            "attention",
            Words(
                "“{stage}” aşaması geliyor, ama {event} sözlükte tanımlı değil.",
                "The stage “{stage}” arrives, but {event} is not defined in the dictionary.",
            ),
            {"stage": name, "event": undefined[0]},
            fix=Words("Taslağını sözlüğe alın.", "Adopt its draft into the dictionary."),
            link="/dictionary",
        )
    return Point(
        "ready",
        Words("“{stage}” aşaması geliyor ve tanımlı.", "The stage “{stage}” arrives and is defined."),
        {"stage": name},
        link="/dictionary",
    )


JOURNEY = Check("journey", "listening", Words("Müşteri yolculuğu çıkarıldı", "The journey is mapped"), _look)
