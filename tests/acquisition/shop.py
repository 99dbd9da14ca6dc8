"""A shop whose visitors come from somewhere, and what tests say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tekil.acquisition.sessions import touch_models
from tekil.definitions import Definition
from tekil.models import Model, audience_model, feature_model
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
