"""Every kind of definition there is, in the order in which they are checked and shown."""

from __future__ import annotations

from collections.abc import Mapping

from tekil.definitions import Kind
from tekil.dictionary import DICTIONARY_KIND, EVENT_KIND
from tekil.identifiers import IDENTITY_KIND
from tekil.models import AUDIENCE_KIND, FEATURE_KIND
from tekil.retention import RETENTION_KIND

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (DICTIONARY_KIND, EVENT_KIND, IDENTITY_KIND, FEATURE_KIND, AUDIENCE_KIND, RETENTION_KIND)
}
