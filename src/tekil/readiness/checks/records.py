"""Are CRM, ERP, billing and advertising in step: do their records arrive, and of late?"""

from __future__ import annotations

from datetime import timedelta

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Moment, Point
from tekil.readiness.sight import Sight

LATE = timedelta(days=2)
"""A system whose last record is older than that is out of step."""

SYSTEMS: dict[str, tuple[Words, frozenset[str]]] = {
    "crm": (
        Words("CRM", "CRM"),
        frozenset({"lead", "deal", "opportunity", "contact", "account", "company", "ticket", "activity"}),
    ),
    "erp": (
        Words("ERP ve sipariş", "ERP and orders"),
        frozenset({"order", "product", "stock", "shipment", "return"}),
    ),
    "billing": (
        Words("Faturalama", "Billing"),
        frozenset({"invoice", "payment", "subscription", "refund", "charge", "contract"}),
    ),
    "advertising": (Words("Reklam", "Advertising"), frozenset({"ad_spend", "campaign", "ad", "ad_group"})),
}
"""The systems of the checklist, and the objects of `record` messages that come from each."""


def system_of(name: str) -> str | None:
    """Return the system that an object's name belongs to.

    >>> system_of("Orders")
    'erp'
    """
    single = name.lower().replace(" ", "_").replace("-", "_")
    return next(
        (
            key
            for key, (_, objects) in SYSTEMS.items()
            if single in objects or single.removesuffix("s") in objects
        ),
        None,
    )


def _look(sight: Sight) -> list[Point]:
    last: dict[str, tuple[str, Moment]] = {}
    for one in sight.traffic:
        system = system_of(one.name) if one.type == "record" else None
        if system is not None and (system not in last or last[system][1].at < one.last):
            last[system] = (one.source, Moment(one.last))
    return [_point(sight, system, last.get(system)) for system in SYSTEMS]


def _point(sight: Sight, system: str, last: tuple[str, Moment] | None) -> Point:
    name = SYSTEMS[system][0]
    if last is None:
        return Point(
            "missing",
            Words("{system}: son 30 günde kayıt gelmedi.", "{system}: no record came in the last 30 days."),
            {"system": name},
            fix=Words(
                "Kayıtlarını record mesajlarıyla gönderin ya da bir dosyadan içe aktarın.",
                "Send its records as record messages, or import them from a file.",
            ),
            link="/sources",
        )
    source, moment = last
    late = sight.now - moment.at > LATE
    return Point(
        "attention" if late else "ready",
        Words(
            "{system}: son kayıt {source} kaynağından, {at}.",
            "{system}: the last record came from {source}, {at}.",
        ),
        {"system": name, "source": source, "at": moment},
        fix=Words("Aktarımı denetleyin.", "Look at what carries it over."),
        link=f"/sources/{source}",
    )


RECORDS = Check(
    "records",
    "listening",
    Words("CRM, ERP ve faturalama güncel", "CRM, ERP and billing are in step"),
    _look,
)
