"""Are the channels connected: which kinds of source send, and has one fallen silent?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Moment, OutOf, Point
from tekil.readiness.sight import Sight, Traffic

SILENT = timedelta(days=7)
"""A source that sent before and has not for so long is silent."""

KINDS = {
    "visits": Words("site ya da uygulama", "a site or an app"),
    "events": Words("sunucu ve mağaza", "servers and shops"),
    "records": Words("iş sistemleri", "business systems"),
}


def kinds_of(traffic: Iterable[Traffic]) -> dict[str, str]:
    """Return source → what kind of source it is, judged by what it says: visits, events, or records only."""
    said: dict[str, set[str]] = {}
    for one in traffic:
        said.setdefault(one.source, set()).add(one.type)
    return {
        source: "visits" if types & {"page", "screen"} else "records" if types == {"record"} else "events"
        for source, types in said.items()
    }


def _look(sight: Sight) -> list[Point]:
    enabled = {source.name for source in sight.store.keys.sources() if source.enabled}
    last = {of.source: of.last_received for of in sight.reads.ledger().sources if of.last_received}
    if not last:
        return [
            Point(
                "missing",
                Words("Hiçbir kaynak henüz bir şey göndermedi.", "No source has sent anything yet."),
                figure=0,
                fix=Words(
                    "Bir kaynak ekleyin ve ilk olayı gönderin.", "Add a source, and send its first event."
                ),
                link="/sources",
            )
        ]
    kinds = kinds_of(sight.traffic)
    points = [_kind(kind, kinds) for kind in KINDS]
    silent = sorted((at, name) for name, at in last.items() if name in enabled and sight.now - at >= SILENT)
    return [*points, *(_silent(name, at) for at, name in silent), *_never(enabled - last.keys())]


def _kind(kind: str, kinds: dict[str, str]) -> Point:
    of_kind = sorted(source for source, found in kinds.items() if found == kind)
    if of_kind:
        return Point(
            "ready",
            Words("Bağlı: {kind} ({sources}).", "Connected: {kind} ({sources})."),
            {"kind": KINDS[kind], "sources": ", ".join(of_kind[:5])},
            figure=len(of_kind),
            link="/sources",
        )
    return Point(
        "missing",
        Words("Son 30 günde gelen yok: {kind}.", "Nothing came in the last 30 days from {kind}."),
        {"kind": KINDS[kind]},
        figure=0,
        fix=Words("Bir kaynak ekleyin.", "Add a source."),
        link="/sources",
    )


def _silent(name: str, at: datetime) -> Point:
    return Point(
        "attention",
        Words("{source} susmuş; son mesajı: {at}.", "{source} has fallen silent; its last message: {at}."),
        {"source": name, "at": Moment(at)},
        fix=Words(
            "Göndereni denetleyin; artık gerekmiyorsa kaynağı kapatın.",
            "Look at what sends; close the source where it is not needed any more.",
        ),
        link=f"/sources/{name}",
    )


def _never(names: set[str]) -> list[Point]:
    if not names:
        return []
    return [
        Point(
            "attention",
            Words(
                "Hiç mesaj göndermemiş açık kaynaklar: {sources}.", "Open sources that never sent: {sources}."
            ),
            {"sources": ", ".join(sorted(names)[:5])},
            figure=OutOf(len(names), len(names)),
            fix=Words("Bağlayın ya da kapatın.", "Connect them or close them."),
            link="/sources",
        )
    ]


CHANNELS = Check("channels", "listening", Words("Kanallar bağlı", "The channels are connected"), _look)
