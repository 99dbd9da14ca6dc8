"""Sending a file's rows through the door, and going on where an earlier run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from tekil.errors import BadRequest
from tekil.pull.ad_exports import as_read
from tekil.pull.compose import Composed, compose, fingerprint
from tekil.pull.door import Door, batches
from tekil.pull.mapping import Mapping
from tekil.pull.rows import Row, file_digest, rows_expected
from tekil.pull.state import Progress, place_of, read_progress, write_progress

LOOK_AHEAD_ROWS = 200
PROBLEMS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row, in words. `row` is its number in the file."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What one run did, in rows: `rows = sent + skipped + refused`.

    `skipped` were acknowledged in an earlier run. `refused` the door would not take (over its limits, say);
    all others are on disk. `problems` are the first hundred of `problem_count`: the refused rows, and those
    that were sent all the same to wait in the quarantine.
    """

    rows: int
    sent: int
    skipped: int
    refused: int
    problem_count: int
    problems: tuple[Problem, ...]


def send(
    path: Path,
    mapping: Mapping,
    *,
    door: str,
    write_key: str,
    progress: Callable[[int, int | None], None],
    state_path: Path,
    again: bool = False,
    patience_seconds: float = 600.0,
) -> Sent:
    """Send a file's rows to the door at `door` (a base URL) and return what was done.

    `progress` is called with the rows done and about how many there are. `state_path` is a folder of small
    files that remember, by a file's content, what was acknowledged. While the door is away or says
    503 the run waits, for up to `patience_seconds` in a row.

    Raises `BadRequest` before anything is sent where the mapping does not fit the file, or where the
    file was sent as events under another mapping (`again` allows it); `Unauthorised` for a wrong write
    key; `Unavailable` when patience ends, after which the same call goes on where this one stopped.
    """
    digest = file_digest(path)
    mapping, read = as_read(path, mapping)
    place, name = place_of(door, write_key), fingerprint(mapping, digest)
    state = state_path / f"{digest}.json"
    imports = read_progress(state)
    ours = next((one for one in imports if (one.place, one.mapping) == (place, name)), None)
    others = [one for one in imports if one is not ours]
    if mapping.kind in ("track", "lead") and ours is None and not again:
        _refuse_other_events(path, place, others)
    acknowledged = ours.row if ours else 0
    expected = rows_expected(path)
    skipped = sent = refused = problem_count = 0
    problems: list[Problem] = []

    def unsent() -> Iterator[Composed]:
        nonlocal skipped
        for row in _looked_over(read(path), mapping, digest):
            if row.number <= acknowledged:
                skipped += 1
            else:
                yield compose(row, mapping, digest)

    with Door(door, write_key, patience_seconds) as opened:
        for batch in batches(unsent()):
            turned_away = opened.post(batch)
            found = [(message.row, text) for message in batch for text in message.problems] + turned_away
            problems += [Problem(*problem) for problem in found[: PROBLEMS_SHOWN - len(problems)]]
            problem_count += len(found)
            refused += len(turned_away)
            sent += len(batch) - len(turned_away)
            write_progress(state, [*others, Progress(place, name, mapping.kind, batch[-1].row)])
            progress(skipped + sent + refused, expected)
    return Sent(skipped + sent + refused, sent, skipped, refused, problem_count, tuple(problems))


def _looked_over(rows: Iterator[Row], mapping: Mapping, digest: str) -> Iterator[Row]:
    """Yield the rows, having refused a mapping that fits none of the first ones."""
    first = list(islice(rows, LOOK_AHEAD_ROWS))
    readable = [row for row in first if row.problem is None]
    if readable:
        mapping.check(column for row in readable for column in row.columns)
    found = [compose(row, mapping, digest) for row in first]
    if found and all(message.problems for message in found):
        raise BadRequest(
            f"None of the first {len(found)} rows makes a good message, so nothing was sent. "
            f"Row {found[0].row} {'; '.join(found[0].problems)}.",
            code="mapping_fits_nothing",
        )
    return chain(first, rows)


def _refuse_other_events(path: Path, place: str, others: list[Progress]) -> None:
    if any(one.kind in ("track", "lead") and one.place == place for one in others):
        raise BadRequest(
            f"{path.name} was sent as events before, under another mapping. Events are never replaced, so "
            "they would be counted twice. Say --again if that is what you want.",
            code="import_mapping_changed",
        )
