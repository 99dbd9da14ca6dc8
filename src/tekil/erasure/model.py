"""What is planned, and what is proven. Plain structures: the same for the API, the console and the log."""

from __future__ import annotations

from typing import Literal

import msgspec


class Traces(msgspec.Struct, frozen=True):
    """A place, and how much of a person is in it. `what` happens to it, and where it is kept, why."""

    place: str
    rows: int
    what: Literal["delete", "empty", "pseudonymise", "keep"]
    because: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What erasing would do; nothing has changed. `identifiers` are (kind, mask)."""

    persons: list[str]
    identifiers: list[tuple[str, str]]
    hashes: list[str]
    traces: list[Traces]

    @property
    def counts(self) -> dict[str, int]:
        """Return place → rows, of the places where something goes."""
        return {one.place: one.rows for one in self.traces if one.what != "keep" and one.rows}


class Checked(msgspec.Struct, frozen=True):
    """A place that was looked through for a person, and in how many rows, or bytes, they were found."""

    place: str
    how: str
    found: int


class Proof(msgspec.Struct, frozen=True):
    """That nothing of a person is left. Instants in microseconds since the epoch (UTC).

    `hashes` are the keyed hashes of their identifiers, `removed` and `kept` tell what the erasure did,
    `checked` what was looked through. `swept_at` is when the last bytes of deleted rows left the warehouse's
    file, nothing while they have not; `scanned_at` when every file was read byte by byte. `signature` is a
    keyed hash of all else.
    """

    destruction: str
    erased_at: int
    proven_at: int
    hashes: list[str]
    removed: dict[str, int]
    kept: list[Traces]
    checked: list[Checked]
    swept_at: int | None = None
    scanned_at: int | None = None
    signature: str = ""

    @property
    def found(self) -> int:
        """Return in how many places something was found: none, if it is a proof."""
        return sum(1 for one in self.checked if one.found)

    @property
    def content(self) -> bytes:
        """Return what is signed: canonical JSON of all but the signature."""
        return msgspec.json.encode(msgspec.structs.replace(self, signature=""), order="deterministic")
