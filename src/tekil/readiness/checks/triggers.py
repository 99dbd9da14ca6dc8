"""Are real-time triggers live? No part of the product runs journeys yet."""

from __future__ import annotations

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Point
from tekil.readiness.sight import Sight


def _look(_sight: Sight) -> list[Point]:
    return [
        Point(
            "missing",
            Words(
                "Anlık tetikleyiciler henüz yok; akışlar dilimiyle gelecek.",
                "There are no triggers in real time yet; they come with the slice on journeys.",
            ),
        )
    ]


TRIGGERS = Check(
    "triggers", "growing", Words("Anlık tetikleyiciler yayında", "Real-time triggers are live"), _look
)
