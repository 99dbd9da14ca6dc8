"""Are the key figures of acquisition reported? No part of the product reckons them yet."""

from __future__ import annotations

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Point
from tekil.readiness.sight import Sight


def _look(_sight: Sight) -> list[Point]:
    return [
        Point(
            "missing",
            Words(
                "Edinme göstergeleri (maliyet, dönüşüm, gelir payı) henüz hesaplanmıyor; "
                "edinme dilimiyle gelecek.",
                "Figures of acquisition (cost, conversion, credited revenue) are not reckoned yet; they come "
                "with the slice on acquisition.",
            ),
        )
    ]


KPIS = Check("kpis", "growing", Words("Göstergeler raporlanıyor", "Key figures are reported"), _look)
