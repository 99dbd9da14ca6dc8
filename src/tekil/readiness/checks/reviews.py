"""Are reviews on schedule: definitions to look at again, and what people ask for by right?"""

from __future__ import annotations

from tekil.dictionary import Dictionary
from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, OutOf, Point
from tekil.readiness.sight import Sight


def _look(sight: Sight) -> list[Point]:
    return [*_definitions(sight.dictionary, sight.now.date().isoformat()), _requests(sight)]


def _definitions(dictionary: Dictionary, today: str) -> list[Point]:
    events = dictionary.events
    if not events:
        return [
            Point(
                "missing",
                Words("Sözlükte henüz olay yok.", "The dictionary has no events yet."),
                figure=0,
                fix=Words("Gelen olaylardan bir taslak alın.", "Adopt a draft from what arrives."),
                link="/dictionary",
            )
        ]
    due = sum(bool(event.spec.review) and event.spec.review <= today for event in events)
    undated = sum(not event.spec.review for event in events)
    return [
        Point(
            "attention" if due else "ready",
            Words("Gözden geçirme günü gelmiş tanımlar.", "Definitions whose day of review has come."),
            figure=OutOf(due, len(events)),
            fix=Words("Bakın ve yeni bir gün verin.", "Look at them, and give them a new day."),
            link="/dictionary",
        ),
        Point(
            "attention" if undated else "ready",
            Words("Gözden geçirme günü olmayan tanımlar.", "Definitions without a day of review."),
            figure=OutOf(undated, len(events)),
            fix=Words("Üç ayda bir bakılacak bir gün verin.", "Give them a day, every three months."),
            link="/dictionary",
        ),
    ]


def _requests(sight: Sight) -> Point:
    overdue = sight.store.requests.count_due(sight.ago())
    return Point(
        "attention" if overdue else "ready",
        Words("Süresi geçmiş başvurular.", "Requests that are overdue."),
        figure=overdue,
        fix=Words("Bugün yanıtlayın.", "Answer them today."),
        link="/requests",
    )


REVIEWS = Check("reviews", "running", Words("Gözden geçirmeler zamanında", "Reviews are on schedule"), _look)
