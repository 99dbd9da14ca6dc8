"""Is performance watched, and good: how fresh cards are, whether the door answers, who reads the figures?"""

from __future__ import annotations

from datetime import timedelta

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Moment, Point, Span
from tekil.readiness.sight import Sight

FRESH_SECONDS = 1.0
"""The product's own bar: of a hundred messages, 99 are readable within this."""

SCRAPED_WITHIN = timedelta(minutes=5)

WAITING_MAX = 50_000


def _look(sight: Sight) -> list[Point]:
    return [_freshness(sight), _waiting(sight), _door(sight), _watched(sight)]


def _freshness(sight: Sight) -> Point:
    p99 = sight.reads.freshness().p99
    if p99 is None:
        return Point(
            "missing",
            Words("Son dakikalarda ölçülecek mesaj gelmedi.", "No message came lately that could be timed."),
            fix=Words("Canlı akışa bakın.", "Look at the live page."),
            link="/",
        )
    return Point(
        "ready" if p99 <= FRESH_SECONDS else "attention",
        Words(
            "Yüz mesajın 99'u kabulden sonra bu sürede okunabiliyor.",
            "Of a hundred messages, 99 can be read so long after they were accepted.",
        ),
        figure=Span(p99),
        fix=Words("Makineye ve bekleyen mesajlara bakın.", "Look at the machine and at what waits."),
        link="/",
    )


def _waiting(sight: Sight) -> Point:
    waiting = sight.reads.ledger().total.waiting
    return Point(
        "ready" if waiting <= WAITING_MAX else "attention",
        Words("Yüklenmeyi bekleyen mesajlar.", "Messages that wait to be loaded."),
        figure=waiting,
        fix=Words(
            "Motor yetişemiyor; daha hızlı bir makine gerekebilir.",
            "The engine falls behind; it may need a faster machine.",
        ),
        link="/",
    )


def _door(sight: Sight) -> Point:
    answers = sight.door()
    return Point(
        "ready" if answers else "attention",
        Words("Kapı yanıt veriyor.", "The door answers.")
        if answers
        else Words("Kapı bu makinede yanıt vermiyor.", "The door does not answer on this machine."),
        fix=Words("`tekil up` ile başlatın.", "Start it with `tekil up`."),
    )


def _watched(sight: Sight) -> Point:
    at = sight.scraped_at
    fix = Words("Prometheus'u /metrics adresine yöneltin.", "Point Prometheus at /metrics.")
    if at is None:
        return Point("missing", Words("Ölçümleri izleyen yok.", "Nobody watches the figures."), fix=fix)
    if sight.now - at > SCRAPED_WITHIN:
        told = Words(
            "Ölçümleri izleyen durmuş; son okuma: {at}.",
            "Whoever watched the figures has stopped; last read: {at}.",
        )
        return Point("attention", told, {"at": Moment(at)}, fix=fix)
    return Point("ready", Words("Ölçümler izleniyor.", "The figures are watched."))


PERFORMANCE = Check("performance", "running", Words("Performans izleniyor", "Performance is watched"), _look)
