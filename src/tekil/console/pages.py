"""From a template to a page: what every page is given, and the headers that keep it safe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect

from tekil.access.policy import Access, Permission
from tekil.api import segment
from tekil.config import Config
from tekil.console.assets import Assets
from tekil.console.drawings import hue
from tekil.console.hues import Hues
from tekil.console.visit import VISITOR, Visit
from tekil.store.quality_alerts import QualityAlerts

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""No script or style but our own files, ever: what a customer typed cannot become code."""


Entry = tuple[str, str, Access]
"""A page's name, its path, and what it asks for."""

QUALITY = Access(Permission.DICTIONARY_READ)

NAV: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "now",
        (
            ("live", "/", Access(Permission.EVENTS_READ)),
            ("people", "/people", Access(Permission.PROFILES_READ, True)),
            ("audiences", "/audiences", Access(Permission.AUDIENCES_READ)),
            ("definitions", "/definitions", Access(Permission.AUDIENCES_READ)),
            ("acquisition", "/acquisition", Access(Permission.ACQUISITION_READ)),
            ("identity", "/identity", Access(Permission.PROFILES_READ)),
            ("organisations", "/organisations", Access(Permission.PROFILES_READ)),
            ("readiness", "/readiness", Access(Permission.LEDGER_READ)),
        ),
    ),
    (
        "sales",
        (
            ("leads", "/leads", Access(Permission.LEADS_READ)),
            ("lead_times", "/lead-times", Access(Permission.LEADS_READ)),
        ),
    ),
    (
        "data",
        (
            ("sources", "/sources", Access(Permission.LEDGER_READ, True)),
            ("dictionary", "/dictionary", Access(Permission.DICTIONARY_READ)),
            ("quality", "/quality", QUALITY),
            ("quarantine", "/quarantine", Access(Permission.EVENTS_READ)),
        ),
    ),
    (
        "rights",
        (
            ("consents", "/consents", Access(Permission.CONSENTS_READ)),
            ("requests", "/requests", Access(Permission.REQUESTS_READ)),
            ("retention", "/retention", Access(Permission.RETENTION_READ)),
        ),
    ),
    (
        "house",
        (
            ("users", "/users", Access(Permission.USERS_READ)),
            ("roles", "/roles", Access(Permission.USERS_READ)),
            ("keys", "/keys", Access(Permission.KEYS_READ)),
            ("connections", "/connections", Access(Permission.CONNECTIONS_READ)),
            ("audit", "/audit", Access(Permission.AUDIT_READ)),
        ),
    ),
)
"""The way around, in groups. Who may not open a page is not shown it."""

NEAR = 4
"""Pages that stand under the thumb where the screen is narrow; the menu beside them holds all."""


def open_groups(visit: Visit) -> list[tuple[str, list[Entry]]]:
    """Return the groups with the pages that are open to a reader; groups without any are left out."""
    groups = [(name, [entry for entry in entries if visit.opens(entry[2])]) for name, entries in NAV]
    return [(name, entries) for name, entries in groups if entries]


def near(groups: list[tuple[str, list[Entry]]], page: str) -> list[Entry]:
    """Return the first pages of all; the one that is shown takes the last place where it is none of them."""
    everything = [entry for _, entries in groups for entry in entries]
    first = everything[:NEAR]
    shown = [entry for entry in everything if entry[0] == page and entry not in first]
    return [*first[: NEAR - len(shown)], *shown]


def first_open(visit: Visit) -> str:
    """Return the first page that is open to a reader; their own account is, whatever their roles."""
    return next((entries[0][1] for _, entries in open_groups(visit)), "/account")


class Pages:
    """Renders templates. Everything put into one is escaped."""

    def __init__(self, config: Config, assets: Assets, hues: Hues, alerts: QualityAlerts) -> None:
        """Take the configuration, the files that pages link to, the colours of sources, and the alerts."""
        self.hues, self._alerts = hues, alerts
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            asset=assets.url,
            hue=hue,
            source_hue=hues,
            segment=segment,
            workspace=config.workspace.name,
            open_groups=open_groups,
            near=near,
            open_alerts=self._open_alerts,
        )

    def _open_alerts(self, visit: Visit) -> int | None:
        """Return how many quality alerts are open; nothing to a reader who may not see them."""
        return self._alerts.count_open() if visit.opens(QUALITY) else None

    def render(self, visit: Visit, template: str, context: Mapping[str, Any]) -> str:
        """Return a template's text for a visit."""
        return self._environment.get_template(template).render(
            visit=visit, t=visit.words, f=visit.formats, **context
        )

    def show(self, visit: Visit, template: str, status: int = 200, **context: Any) -> Response[str]:
        """Return a page. It is the reader's alone, so nobody may keep a copy."""
        return Response(
            self.render(visit, template, context),
            status_code=status,
            media_type=MediaType.HTML,
            headers={"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"},
            cookies=[cookie(visit, VISITOR, visit.visitor)],
        )


PagesHere = NamedDependency[SkipValidation[Pages]]


def cookie(visit: Visit, name: str, value: str, days: int | None = None) -> Cookie:
    """Return a cookie that no script and no other site can use; without `days` it ends with the browser."""
    age = None if days is None else days * 86_400
    return Cookie(name, value=value, max_age=age, httponly=True, samesite="lax", secure=visit.secure)


def go(path: str, cookies: list[Cookie] | None = None) -> Redirect:
    """Return the answer that leads a browser on after a form was sent."""
    return Redirect(path, status_code=303, cookies=cookies)
