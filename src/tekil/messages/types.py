"""The message types of Segment's spec, our `record`, and the doors they come in by."""

from __future__ import annotations

from typing import Literal

MESSAGE_TYPES = ("track", "identify", "page", "screen", "group", "alias", "record")
"""Every type a message may have. `record` is ours: an upsert of an entity that is not a person event."""

LEAD_SUBMITTED = "Lead Submitted"
"""The event by which every lead comes in, whoever sends it."""

Door = Literal["track", "identify", "page", "screen", "group", "alias", "record", "batch", "import"]
"""How a body came in: as one message of a type, as a batch, or as history being imported."""

DOORS: tuple[Door, ...] = (
    "track",
    "identify",
    "page",
    "screen",
    "group",
    "alias",
    "record",
    "batch",
    "import",
)
