"""How one visit to the web shop or the app speaks: pages, screens and events with their context."""

from __future__ import annotations

from typing import Any

from tekil.demo.campaigns import DIRECT, Origin
from tekil.demo.catalogue import SITE
from tekil.demo.devices import Device
from tekil.demo.life import Life, Memory
from tekil.demo.people import Person
from tekil.demo.wire import Message, Purchase, Touch, instant, unique, utc

WEB, APP = "web-shop", "mobile-app"
CONSENT_TEXT = "kvkk-2026-01"


class Visit:
    """One visit, from landing to leaving. Its clock moves on with every look; each call sends one message."""

    def __init__(
        self,
        life: Life,
        device: Device,
        memory: Memory,
        person: Person | None,
        start: float,
        origin: Origin = DIRECT,
        late: float = 0.0,
    ) -> None:
        """Begin at `start`. A visit made offline leaves `late` seconds after it happened."""
        self.life = life
        self.device = device
        self.memory = memory
        self.person = person
        self.clock = start
        self.origin = origin
        self.source = APP if device.kind == "app" else WEB
        self._late = late
        self._began: Touch | None = None
        if person is not None:
            campaign = origin.campaign.name if origin.campaign else None
            self._began = Touch(person.index, utc(start), "app" if self.app else origin.channel, campaign)
        self._referrer = origin.referrer
        self._landed = False
        self._surroundings = _app_context(device) if self.app else _web_context(device)
        self._context = self._surroundings

    @property
    def app(self) -> bool:
        """Whether this is the app, which has screens where the web shop has pages."""
        return self.source == APP

    def look(self, path: str, title: str, search: str = "") -> None:
        """Open a page of the web shop, or the screen of the same title in the app."""
        if self._landed:
            self.clock += self.life.rng.expovariate(1 / 22) + 1.5
        if self.app:
            self._landed = True
            self._say({"type": "screen", "name": title, "properties": {"name": title, "path": path}})
            return
        if not self._landed:
            search = "&".join(part for part in (search, self.origin.query) if part)
        url = f"{SITE}{path}?{search}" if search else SITE + path
        page = {
            "url": url,
            "path": path,
            "title": f"{title} | Minder Evi",
            "search": f"?{search}" if search else "",
            "referrer": self._referrer,
        }
        self._context = {**self._surroundings, "page": page}
        if not self._landed and self.origin.tags is not None:
            self._context["campaign"] = self.origin.tags
        self._landed = True
        self._referrer = url
        self._say({"type": "page", "name": title, "properties": page})

    def track(self, event: str, properties: dict[str, Any], purchase: Purchase | None = None) -> None:
        """Send an event a moment after the last one."""
        self.clock += 0.2 + self.life.rng.random() * 2
        self._say({"type": "track", "event": event, "properties": properties}, purchase)

    def identify(self, traits: dict[str, Any], marketing: dict[str, Any] | None = None) -> None:
        """Say who the visitor is; `marketing` is what they have just consented to or refused."""
        self.clock += 0.1
        message: Message = {"type": "identify", "traits": traits}
        if marketing is not None:
            message["context"] = {**self._context, "consent": {"marketing": marketing}}
        self._say(message)

    def alias(self, previous: str) -> None:
        """Say that the user was known by another id before, as the app's older versions do."""
        self._say({"type": "alias", "previousId": previous})

    def _say(self, message: Message, purchase: Purchase | None = None) -> None:
        rng = self.life.rng
        prefix = "" if self.app else f"ajs-next-{int(self.clock * 1000)}-"
        message["messageId"] = prefix + unique(rng)
        message["anonymousId"] = self.memory.anonymous_id
        if self.memory.user_id is not None:
            message["userId"] = self.memory.user_id
        message["timestamp"] = instant(self.clock)
        message.setdefault("context", self._context)
        # The first message of a visit carries its touch; an order is never the first.
        fact = purchase or self._began
        self._began = None
        late = self._late if self._late else (rng.random() * 0.3)
        self.life.send(self.source, self.clock, message, late=late, skew=self.device.skew, fact=fact)


def marketing_consent(*, email: bool, sms: bool, call: bool, source: str) -> dict[str, Any]:
    """Return what a form says about marketing consent. `source` is İYS's code for where it was given."""
    return {"email": email, "sms": sms, "call": call, "source": source, "text": CONSENT_TEXT}


def _web_context(device: Device) -> dict[str, Any]:
    return {
        "userAgent": device.agent,
        "locale": device.locale,
        "timezone": "Europe/Istanbul",
        "ip": device.ip,
        "screen": {"width": device.make.width, "height": device.make.height},
        "library": {"name": "analytics.js", "version": "next-1.81.0"},
    }


def _app_context(device: Device) -> dict[str, Any]:
    apple = device.make.os == "iOS"
    return {
        "userAgent": device.agent,
        "locale": device.locale,
        "timezone": "Europe/Istanbul",
        "ip": device.ip,
        "app": {"name": "Minder Evi", "version": device.version, "namespace": "example.minderevi.app"},
        "device": {
            "type": "ios" if apple else "android",
            "manufacturer": "Apple" if apple else "Samsung",
            "model": device.make.model,
        },
        "os": {"name": device.make.os, "version": "18.5" if apple else "14"},
        "screen": {"width": device.make.width, "height": device.make.height},
        "network": {"wifi": True, "cellular": False},
        "library": {"name": "analytics-swift" if apple else "analytics-kotlin", "version": "1.21.0"},
    }
