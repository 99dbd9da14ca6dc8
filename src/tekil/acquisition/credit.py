"""Whom each conversion is owed to: from conversions and the touches before them to credit, to the kuruş."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tekil.acquisition.channels import DIRECT, NONE
from tekil.acquisition.learned import Learned, learn_markov, learn_shapley
from tekil.acquisition.paths import Flags, Floats, Integers, Paths, distinct, gather, starts_of
from tekil.acquisition.rules import RULES, Trails, by_channel
from tekil.acquisition.splitting import share_out
from tekil.acquisition.tables import DATA_DRIVEN, MODELS

WHOLE = 10_000
"""One conversion, in the parts in which it is shared out."""

PATH_SHOWN = 12
"""Steps of a path that are written out; of a longer one the first ones, and dots."""


@dataclass(frozen=True)
class Shared:
    """What came of it: rows of `conversions`, of `credits` and of `channel_shares`.

    Sums are whole numbers yet: `amount` and `value_…` in hundredths, `share_…` in ten-thousandths.
    """

    conversions: pa.Table
    credits: pa.Table
    learned: pa.Table


def share_conversions(pairs: pa.Table, lost: pa.Table, rounds: int) -> Shared:
    """Share out all conversions, each kind by itself.

    `pairs` has a row for each conversion and touch before it, one with nulls for a conversion without any,
    sorted by conversion, key and time. `lost` are touches of people who have not converted (since), sorted by
    conversion and person.
    """
    found = []
    for name in pc.unique(pairs["conversion"]).to_pylist():
        of = pc.equal(pairs["conversion"], name)
        found.append(_share(pairs.filter(of), lost.filter(pc.equal(lost["conversion"], name)), rounds))
    return Shared(*(pa.concat_tables(some) for some in zip(*found, strict=True)))


def _share(pairs: pa.Table, lost: pa.Table, rounds: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    keys = _integers(pairs["conversion_key"])
    starts = np.append(np.flatnonzero(np.append([True], keys[1:] != keys[:-1])), len(keys))
    channels = pa.chunked_array([pc.fill_null(pairs["channel"], NONE), lost["channel"].cast(pa.string())])
    coded = channels.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    codes, names = _integers(coded.indices), tuple(coded.dictionary.to_pylist())
    walked, missed = codes[: len(keys)], codes[len(keys) :]
    paths = _all_paths(names, walked, starts, missed, _integers(lost["person_key"]))
    learned = {"markov": learn_markov(paths, rounds=rounds), "shapley": learn_shapley(paths, rounds=rounds)}
    weights = _weights(pairs, walked, starts, names, learned)
    first = pairs.take(pa.array(starts[:-1]))
    amounts, counts = _integers(first["hundredths"]), _integers(first["counts"]) * WHOLE
    shared = {f"value_{model}": share_out(amounts, weights[model], starts) for model in MODELS}
    shared |= {f"share_{model}": share_out(counts, weights[model], starts) for model in MODELS}
    is_touched = pc.is_valid(pairs["touched_at"])
    credits = pairs.select(
        [
            "person_key",
            "conversion",
            "conversion_key",
            "day",
            "touched_at",
            "source",
            "medium",
            "campaign",
            "keyword",
        ]
    ).append_column("channel", coded.slice(0, len(keys)).dictionary_decode())
    place = _integers(is_touched.cast(pa.int64())) * (
        np.arange(len(keys)) - np.repeat(starts[:-1], np.diff(starts)) + 1
    )
    credits = credits.append_column("touch", pa.array(place))
    for column, parts in shared.items():
        credits = credits.append_column(column, pa.array(parts))
    return _conversions(first, walked, starts, names, place), credits, _shares(first, names, learned, paths)


def _integers(column: pa.ChunkedArray | pa.Array) -> Integers:
    """Return a column as numbers; 0 where there is none."""
    return np.asarray(pc.fill_null(column, 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _all_paths(
    names: tuple[str, ...], walked: Integers, starts: Integers, missed: Integers, people: Integers
) -> Paths:
    """Return the distinct paths of those who converted and of those who did not."""
    turns = np.flatnonzero(people[1:] != people[:-1]) + 1
    lengths = np.diff(np.concatenate([[0], turns, [len(people)]])) if len(people) else people
    every = np.concatenate([np.diff(starts), lengths])
    is_converted = np.arange(len(every)) < len(starts) - 1
    return gather(names, np.concatenate([walked, missed]), starts_of(every), is_converted)


def _weights(
    pairs: pa.Table, codes: Integers, starts: Integers, names: tuple[str, ...], learned: Mapping[str, Learned]
) -> dict[str, Floats]:
    at, touched = (_integers(pc.cast(pairs[name], pa.int64())) for name in ("converted_at", "touched_at"))
    is_direct: Flags = np.isin(codes, [code for code, name in enumerate(names) if name == DIRECT])
    trails = Trails(starts, at - touched, is_direct)
    found = {name: rule(trails) for name, rule in RULES.items()}
    return found | {name: by_channel(starts, codes, learned[name].shares) for name in DATA_DRIVEN}


def _conversions(
    first: pa.Table, codes: Integers, starts: Integers, names: tuple[str, ...], place: Integers
) -> pa.Table:
    """Return rows of `conversions`, with the path that led to each in words."""
    firsts, which = distinct(codes, starts)
    lengths = np.diff(starts)
    texts = [_path([names[code] for code in codes[starts[i] : starts[i + 1]]]) for i in firsts]
    touches = np.where(place[starts[:-1]] == 0, 0, lengths)
    kept = first.select(
        ["person_key", "conversion", "conversion_key", "converted_at", "day", "gross", "refunded", "currency"]
    )
    return (
        kept.append_column("hundredths", first["hundredths"])
        .append_column("counts", first["counts"])
        .append_column("touches", pa.array(touches))
        .append_column("first_touch_at", first["touched_at"])
        .append_column("path", pa.array(texts).take(pa.array(which)))
    )


def _path(steps: list[str]) -> str:
    return " > ".join(steps[:PATH_SHOWN] + (["…"] if len(steps) > PATH_SHOWN else []))


def _shares(
    first: pa.Table, names: tuple[str, ...], learned: Mapping[str, Learned], paths: Paths
) -> pa.Table:
    rows = [
        {
            "conversion": first["conversion"][0].as_py(),
            "model": model,
            "channel": channel,
            **{
                column: round(float(getattr(found, member)[code]) * WHOLE)
                for column, member in (
                    ("share", "shares"),
                    ("low", "low"),
                    ("high", "high"),
                    ("error", "errors"),
                )
            },
            "paths": paths.count,
        }
        for model, found in learned.items()
        for code, channel in enumerate(names)
    ]
    return pa.Table.from_pylist(rows)
