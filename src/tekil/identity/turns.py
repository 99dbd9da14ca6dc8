"""A device that several people use belongs to each in turns: from login to login, whole and without a gap."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tekil.identity.graph import Integers

BEGINNING, END = 0, 253_402_214_400_000_000
"""1970-01-01 and 9999-12-31 in microseconds: before and after all events."""

TURNS = pa.schema(
    [
        ("identifier_key", pa.int64()),
        ("valid_from", pa.timestamp("us")),
        ("valid_until", pa.timestamp("us")),
        ("owner_key", pa.int64()),
    ]
)


def take_turns(device: Integers, owner: Integers, at: Integers, tie: Integers, window: int) -> pa.Table:
    """Return whose each device is when (`TURNS`), from who logged in on it at which instant.

    The four arrays are of logins: the device's key, the key of who it names, microseconds, and a number that
    orders logins of one instant. A turn begins with a login of somebody else, and reaches back over anonymous
    events: up to `window` microseconds, but never beyond the last message that names who had it before.
    Before the first turn a device is its own. Each device's turns cover all of time, and none two at once.
    """
    order = np.lexsort((tie, owner, at, device))
    device, owner, at = device[order], owner[order], at[order]
    begins = np.ones(len(device), dtype=bool)
    begins[1:] = (device[1:] != device[:-1]) | (owner[1:] != owner[:-1])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(device)) - 1 if len(first) else first
    of, whose, start, end = device[first], owner[first], at[first], at[last]
    is_first = np.ones(len(of), dtype=bool)
    is_first[1:] = of[1:] != of[:-1]
    before = np.where(is_first, BEGINNING, np.append([BEGINNING], end[:-1] + 1)[: len(of)])
    valid_from = np.maximum(before, start - window)
    is_last = np.append(is_first[1:], True)[: len(of)]
    valid_until = np.where(is_last, END, np.append(valid_from[1:], END)[: len(of)])
    # What a device was before anybody's turn.
    opening = np.flatnonzero(is_first)
    none: Integers = np.full(len(opening), BEGINNING, dtype=np.int64)
    columns = [
        np.concatenate([of[opening], of]),
        np.concatenate([none, valid_from]).astype("datetime64[us]"),
        np.concatenate([valid_from[opening], valid_until]).astype("datetime64[us]"),
        np.concatenate([of[opening], whose]),
    ]
    return pa.table([pa.array(column) for column in columns], schema=TURNS)
