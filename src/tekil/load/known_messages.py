"""Whether a message may have been loaded before: asked of memory, where the answer is nearly always no."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tekil.load.tables import EVENTS, RECORD_CHANGES
from tekil.warehouse import Warehouse

Keys = npt.NDArray[np.int64]

RATIO = 4
"""A run is merged into the one before it as long as that one is not so many times larger."""


class KnownMessages:
    """The keys of all messages that were ever loaded, 8 bytes each, in a few sorted runs.

    A key that is not here was never loaded; of one that is, the warehouse decides by the ids. So a key too
    many costs a question, and no key may be missing: they are read from the warehouse when first needed,
    and again after `forget`. Probing 50 million keys in the warehouse takes 0.2 s and more in every cycle;
    here, a millisecond.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        """Take the warehouse whose `events` and `record_changes` hold what was loaded."""
        self._warehouse = warehouse
        self._runs: list[Keys] | None = None

    def suspects(self, keys: pa.ChunkedArray) -> pa.Table:
        """Return those of `keys` that may have been loaded, or are among them twice: `message_key`."""
        wanted, counts = np.unique(_integers(keys), return_counts=True)
        maybe = counts > 1
        for run in self._read():
            place = np.searchsorted(run, wanted)
            maybe |= run[np.minimum(place, len(run) - 1)] == wanted
        return pa.table({"message_key": wanted[maybe]})

    def add(self, keys: pa.ChunkedArray) -> None:
        """Remember messages whose loading was just committed."""
        runs = self._read()
        new = np.sort(_integers(keys))
        if len(new) == 0:
            return
        while runs and len(runs[-1]) < RATIO * len(new):
            # Two sorted runs in one array: the stable sort merges them in one pass.
            new = np.sort(np.concatenate([runs.pop(), new]), kind="stable")
        runs.append(new)

    def forget(self) -> None:
        """Read the warehouse again before the next answer: nobody knows what of the last commit is there."""
        self._runs = None

    def _read(self) -> list[Keys]:
        if self._runs is None:
            selects = (f"SELECT message_key FROM {table.name}" for table in (EVENTS, RECORD_CHANGES))
            found = self._warehouse.query(" UNION ALL ".join(selects))["message_key"]
            self._runs = [np.sort(_integers(found))] if len(found) else []
        return self._runs


def _integers(column: pa.ChunkedArray) -> Keys:
    return np.asarray(column.to_numpy(), dtype=np.int64)
