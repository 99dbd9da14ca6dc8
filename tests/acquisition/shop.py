"""A shop whose visitors come from somewhere, and what tests say of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tekil.acquisition.attribution import Attribution
from tekil.acquisition.sessions import touch_models
from tekil.acquisition.tables import TABLES
from tekil.definitions import Definition, apply, parse
from tekil.kinds import KINDS
from tekil.models import Model, audience_model, feature_model
from tekil.store import Store
from tests.installation import Installation

ZONE = "Europe/Istanbul"


def models_of(definitions: Sequence[Definition]) -> list[Model]:
    return [feature_model(definitions, ZONE), audience_model(definitions), *touch_models(definitions, ZONE)]


def page(
    visitor: str, query: str = "", referrer: str = "", path: str = "/", user: str | None = None
) -> dict[str, Any]:
    """A page view, landed on with a query and from somewhere."""
    url = f"https://shop.example{path}" + (f"?{query}" if query else "")
    said: dict[str, Any] = {"type": "page", "anonymousId": visitor, "context": {"page": {"url": url}}}
    if referrer:
        said["context"]["page"]["referrer"] = referrer
    return said if user is None else {**said, "userId": user}


ADS = "utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=linen"


def sessions(shop: Installation) -> list[dict[str, Any]]:
    shop.run()
    return shop.rows("SELECT * FROM sessions ORDER BY started_at, session_key")


def channels(shop: Installation) -> list[str]:
    shop.run()
    return [row["channel"] for row in shop.rows("SELECT channel FROM touches ORDER BY touched_at, touch_key")]


def order(
    visitor: str, number: str, total: Any, *, currency: str = "TRY", event: str = "Order Completed"
) -> dict[str, Any]:
    """An order, or what is taken back of one."""
    properties = {"order_id": number, "total": total, "currency": currency}
    return {"type": "track", "event": event, "anonymousId": visitor, "properties": properties}


def record(name: str, key: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "record", "object": name, "key": key, "fields": fields}


def spent(day: str, campaign: str, keyword: str, cost: Any, **more: Any) -> dict[str, Any]:
    key = {"day": day, "platform": "google", "campaign": campaign, "keyword": keyword}
    return record("ad_spend", key, cost=cost, clicks=10, impressions=100, **more)


DEFINITIONS = """
kind: conversion
name: order
title: {tr: Sipariş, en: Order}
spec:
  event: Order Completed
  value: number(properties.total)
  currency: properties.currency
  key: properties.order_id
  refund: {event: Order Refunded, value: number(properties.total), key: properties.order_id}
---
kind: conversion
name: deal
spec:
  record: deal
  when: fields.stage = 'won'
  value: number(fields.amount)
"""


def founded(folder: Path, store: Store | None = None, **places: Any) -> Installation:
    """An installation with everything that acquisition keeps, and two conversions defined."""
    shop = Installation(folder, store=store, defined=models_of, beside=TABLES, **places)
    apply(shop.store, KINDS, parse(DEFINITIONS), author="test")
    return shop


def attribution(shop: Installation) -> Attribution:
    return Attribution(shop.engine, ZONE, "TRY", clock=lambda: shop.now, rounds=5)


def share_out(shop: Installation) -> None:
    shop.run()
    attribution(shop).run()
