"""Can it be shown afterwards what happened: the audit trail, the traces?"""

from __future__ import annotations

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Moment, Point
from tekil.readiness.sight import Sight


def _look(sight: Sight) -> list[Point]:
    return [_trail(sight), _traces()]


def _trail(sight: Sight) -> Point:
    trail = sight.trail()
    if trail.misfit is not None:
        return Point(
            "attention",
            Words("Denetim izi {number}. kayıtta kopuyor.", "The audit trail breaks at entry {number}."),
            {"number": trail.misfit.number},
            fix=Words(
                "`tekil audit verify` ile bakın; depoya kimin yazabildiğini araştırın.",
                "Look with `tekil audit verify`, and find out who can write to the store.",
            ),
            link="/audit",
        )
    return Point(
        "ready",
        Words("Denetim izi baştan sona doğrulandı; {at}.", "The audit trail was verified, whole; {at}."),
        {"at": Moment(trail.verified_at)},
        figure=trail.entries,
        link="/audit",
    )


def _traces() -> Point:
    return Point(
        "missing",
        Words(
            "İzler (OpenTelemetry) henüz yok; üretime hazırlık diliminde gelecek.",
            "There are no traces (OpenTelemetry) yet; they come with the slice on operations.",
        ),
    )


TRACES = Check(
    "traces",
    "running",
    Words("Kayıtlar, ölçümler ve izler denetlenebilir", "Logs, metrics and traces can be audited"),
    _look,
)
