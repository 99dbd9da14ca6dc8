"""How much alike people are: Splink's model after Fellegi and Sunter, trained on the people themselves.

Source: Fellegi, Sunter, "A theory for record linkage" (1969); Linacre et al., Splink (2022). How often two
strangers agree is counted on random pairs; how often one person agrees with themselves is found by
expectation maximisation among pairs that agree on something already. Everything happens in memory: the
engine inside is told to write nothing to disk.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tekil.identity.graph import Integers

logging.getLogger("splink").setLevel(logging.ERROR)

SEED = 1969
PAIRS_SAMPLED = 2e6
TRAINING_PAIRS = 1e6
TRAINING_PAIRS_MIN = 20
"""Fewer pairs that agree on something teach nothing about those that are one person."""

KNOWN_MIN = 0.01
"""A field that fewer than this part of people have is left out: there is nothing to learn it from."""

BLOCKS: Sequence[tuple[str, ...]] = (
    ("first_name", "last_name", "birthday"),
    ("last_name", "birthday"),
    ("first_name", "birthday"),
    ("first_name", "last_name", "city"),
    ("first_name", "last_name"),
    ("email",),
    ("phone",),
    ("address",),
    ("last_name", "company"),
)
"""Whoever agrees in all fields of one of these is compared."""

TRAINING_BLOCKS: Sequence[tuple[str, ...]] = (
    ("first_name", "last_name"),
    ("birthday",),
    ("phone",),
    ("email",),
    ("address",),
)
"""Among pairs that agree in these, it is learned how people agree with themselves in everything else."""

_SURE: Sequence[tuple[str, ...]] = (
    ("first_name", "last_name", "birthday"),
    ("first_name", "last_name", "phone"),
    ("first_name", "last_name", "email"),
    ("email", "phone"),
)
"""What hardly two people agree in; how many pairs do tells how rare it is to be one."""

SURE_RECALL = 0.6
"""Which part of all pairs of one person those are, taken to be: some were mistyped or not given."""


@dataclass(frozen=True)
class Level:
    """How two compare in one field: the level as Splink calls it, and its bits for their being one."""

    field: str
    label: str
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two rows of those compared, left before right, and the bits for their being one person, by field."""

    left: int
    right: int
    weight: float
    levels: tuple[Level, ...]


def _comparison(field: str) -> Any:
    match field:
        case "first_name" | "last_name":
            made = comparisons.JaroWinklerAtThresholds(field, [0.92, 0.85])
            return made.configure(term_frequency_adjustments=True)
        case "email":
            return comparisons.JaroWinklerAtThresholds(field, [0.95, 0.88])
        case "phone":
            return comparisons.DamerauLevenshteinAtThresholds(field, 1)
        case "birthday":
            return comparisons.CustomComparison(
                output_column_name=field,
                comparison_levels=[
                    levels.NullLevel(field),
                    levels.ExactMatchLevel(field),
                    levels.DamerauLevenshteinLevel(field, 1),
                    levels.ElseLevel(),
                ],
            )
        case "address":
            return comparisons.JaroWinklerAtThresholds(field, [0.92])
        case _:
            return comparisons.ExactMatch(field).configure(term_frequency_adjustments=True)


def find_pairs(
    compared: pa.Table, review: float, block_max: int, tell: Callable[[str], None] = lambda _step: None
) -> list[Pair]:
    """Return the pairs that weigh `review` bits or more, in the order of their rows.

    The same rows give the same pairs. `compared` has `unique_id` (0, 1, …) and fields of `FIELDS`; what more
    than `block_max` rows agree in is not looked through. Nothing where there is too little to learn from.
    `tell` is told when it begins to `learn`, and to `weigh`.
    """
    tell("learn")
    fields = _worth_comparing(compared)
    blocks = [block for block in BLOCKS if set(block) <= set(fields)]
    sure = [block for block in _SURE if set(block) <= set(fields) and _pairs_in(compared, block)]
    if len(fields) < 2 or not blocks or not sure:
        return []
    keyed = _with_block_keys(compared.select(["unique_id", *fields]), blocks, block_max)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI()
        # Where memory ends, work fails: personal values must not overflow to a disk.
        api.duckdb_con.execute("SET temp_directory = ''")
        try:
            linker = _linker(api, keyed, fields, blocks)
            if not _train(linker, compared, fields, sure):
                return []
            tell("weigh")
            predicted: Any = linker.inference.predict(threshold_match_weight=review)
            found = predicted.as_pyarrow_table()
            return sorted(_pairs(found, _labels(linker)), key=lambda pair: (pair.left, pair.right))
        finally:
            api.duckdb_con.close()


def _worth_comparing(compared: pa.Table) -> list[str]:
    rows = max(compared.num_rows, 1)
    return [
        name
        for name in compared.column_names
        if name != "unique_id"
        and (rows - compared[name].null_count) / rows >= KNOWN_MIN
        and pc.count_distinct(compared[name]).as_py() > 1
    ]


def _counted(compared: pa.Table, block: Sequence[str]) -> tuple[Integers, Integers]:
    """Return a number for what each row holds in some fields, -1 where one is unknown; and rows by number."""
    joined = pc.binary_join_element_wise(*(compared[name].cast(pa.string()) for name in block), "\x1f")
    encoded = joined.combine_chunks().dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return codes, np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary) + 1)


def _pairs_in(compared: pa.Table, block: Sequence[str]) -> int:
    counts = _counted(compared, block)[1]
    return int((counts * (counts - 1) // 2).sum())


def _with_block_keys(compared: pa.Table, blocks: Sequence[tuple[str, ...]], most: int) -> pa.Table:
    """Add a column for each block: what its fields hold, null where that is unknown or too common."""
    for number, block in enumerate(blocks):
        codes, counts = _counted(compared, block)
        is_useful = (codes >= 0) & (counts[codes] > 1) & (counts[codes] <= most)
        compared = compared.append_column(f"block_{number}", pa.array(codes, mask=~is_useful))
    return compared


def _linker(
    api: DuckDBAPI, keyed: pa.Table, fields: Sequence[str], blocks: Sequence[tuple[str, ...]]
) -> Linker:
    settings = SettingsCreator(
        "dedupe_only",
        comparisons=[_comparison(field) for field in fields],
        blocking_rules_to_generate_predictions=[block_on(f"block_{n}") for n in range(len(blocks))],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
        linker_uid="tekil",
    )
    return Linker(api.register(keyed), settings, log_level=None)


def _train(
    linker: Linker,
    compared: pa.Table,
    fields: Sequence[str],
    sure: Sequence[tuple[str, ...]],
) -> bool:
    """Learn the model; return whether there were pairs to learn it from."""
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on(*block) for block in sure], recall=SURE_RECALL
    )
    training.estimate_u_using_random_sampling(PAIRS_SAMPLED, seed=SEED)
    learned: set[str] = set()
    for block in TRAINING_BLOCKS:
        # A field that all pairs of a block agree in is learned from another block.
        if not set(block) <= set(fields) or not (set(fields) - set(block)) - learned:
            continue
        # Splink leaves its model half trained where a block has no pairs, so they are counted before.
        pairs = _pairs_in(compared, block)
        if pairs < TRAINING_PAIRS_MIN:
            continue
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*block), max_pairs=TRAINING_PAIRS if pairs > TRAINING_PAIRS else None
        )
        learned |= set(fields) - set(block)
    return bool(learned)


def _labels(linker: Linker) -> Mapping[str, Mapping[int, str]]:
    """Return by field what its levels are called, by the number that Splink gives them."""
    told = linker.misc.save_model_to_json()
    return {
        comparison["output_column_name"]: dict(_numbered(comparison["comparison_levels"]))
        for comparison in told["comparisons"]
    }


def _numbered(told: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, str]]:
    # As Splink numbers them: unknown is -1, the last (all others) 0, the closest the highest.
    known = [level for level in told if not level.get("is_null_level")]
    yield -1, "unknown"
    for place, level in enumerate(known):
        yield len(known) - 1 - place, str(level["label_for_charts"])


def _pairs(found: pa.Table, labels: Mapping[str, Mapping[int, str]]) -> Iterator[Pair]:
    for row in found.to_pylist():
        told = tuple(
            Level(field, numbered[row[f"gamma_{field}"]], _weight(row, field))
            for field, numbered in labels.items()
        )
        left, right = sorted((row["unique_id_l"], row["unique_id_r"]))
        # Threads add up in any order: what is left of that is far below a hundredth of a bit.
        yield Pair(left, right, round(row["match_weight"], 2), told)


def _weight(row: Mapping[str, float], field: str) -> float:
    """Return the bits of a field: how much its agreement says, and how rare what they agree in is."""
    return round(row[f"mw_{field}"] + (row.get(f"mw_tf_adj_{field}") or 0.0), 2)
