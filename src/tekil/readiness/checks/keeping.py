"""Is it settled how long things are kept: rules for what is personal, and runs that leave nothing?"""

from __future__ import annotations

from datetime import UTC, datetime

from tekil.privacy.purposes import Words
from tekil.readiness.model import Check, Moment, OutOf, Point
from tekil.readiness.sight import Sight
from tekil.retention import CLASSES, rules_in_force


def _look(sight: Sight) -> list[Point]:
    ruled = {rule.spec.of for rule in rules_in_force(sight.store.definitions)}
    points = [
        Point(
            "ready" if len(ruled) == len(CLASSES) else "attention" if ruled else "missing",
            Words("Süresi belirlenmiş veri sınıfları.", "Classes of data with a rule."),
            figure=OutOf(len(ruled), len(CLASSES)),
            fix=Words("Eksik sınıflara kural koyun.", "Put rules in force for the others."),
            link="/retention",
        )
    ]
    runs = sight.store.destructions.newest(1, kind="retention")
    if runs:
        at = datetime.fromtimestamp(runs[0].at / 1_000_000, UTC).replace(tzinfo=None)
        finished = runs[0].done_at is not None
        points.append(
            Point(
                "ready" if finished else "attention",
                Words("Son yok etme: {rule}, {at}.", "The last destruction: {rule}, {at}."),
                {"rule": runs[0].reason, "at": Moment(at)},
                fix=Words(
                    "Sürüyor ya da yarıda kaldı; günlüğe bakın.",
                    "It goes on, or was broken off; see the log.",
                ),
                link="/retention",
            )
        )
    return points


KEEPING = Check(
    "keeping", "trust", Words("Saklama süreleri belirli", "It is settled how long things are kept"), _look
)
