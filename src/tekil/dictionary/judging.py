"""Messages against the dictionary in force: a step of loading that is left out where nothing is defined."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from tekil.dictionary import sql
from tekil.dictionary.model import COLUMNS, ROOTS, Dictionary, Event, Field, Mode
from tekil.dictionary.patterns import portable
from tekil.warehouse import Column, Erasure, Table, Warehouse

VIOLATIONS = Table(
    "violations",
    (
        # key64 of all that follows up to the day (UTC, of receipt, ISO).
        Column("violation_key", "bigint"),
        Column("source", "text"),
        Column("event", "text"),
        Column("field", "text"),
        Column("rule", "text"),
        Column("mode", "text"),
        Column("day", "text"),
        Column("messages", "bigint"),
        # The key of one such message: `events.message_key`, where it was loaded.
        Column("sample_key", "bigint"),
    ),
    key="violation_key",
    erasure=Erasure("own", "counts stay; a sample that was theirs is named no more"),
)

_SUBJECTS = pa.schema(
    [
        ("subject", pa.string()), ("definition", pa.int64()), ("event", pa.string()), ("label", pa.string()),
        ("is_synonym", pa.bool_()), ("undefined_mode", pa.string()),
    ]
)  # fmt: skip
_RULES = pa.schema(
    [
        ("rule_number", pa.int64()), ("definition", pa.int64()), ("path", pa.string()),
        ("label", pa.string()), ("mode", pa.string()), ("type", pa.string()), ("required", pa.bool_()),
        ("has_allowed", pa.bool_()), ("least_amount", pa.float64()), ("most_amount", pa.float64()),
        ("pattern", pa.int64()),
    ]
)  # fmt: skip
_PATHS = pa.schema([("definition", pa.int64()), ("path", pa.string())])
_ALLOWED = pa.schema([("rule_number", pa.int64()), ("value_allowed", pa.string())])


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging found: whether messages are held back or renamed, and whether rules were broken."""

    holds_back: bool = False
    renames: bool = False
    breaches: bool = False


class Rules:
    """A dictionary as rows to be joined with messages: made once for each revision."""

    def __init__(self, dictionary: Dictionary) -> None:
        """Take the dictionary in force."""
        self.revision = dictionary.revision
        self.unknown_events: Mode = dictionary.unknown_events
        self.asks_for_nothing = dictionary.asks_for_nothing
        self.declared = dictionary.declared()
        self._events = dictionary.events
        self._rules: list[tuple[int, str, Field, Mode]] = [
            (number, path, field, field.mode or event.spec.mode)
            for number, event in enumerate(self._events)
            for path, field in event.spec.fields.items()
            if (field.mode or event.spec.mode) != "evolve" and _asks(field)
        ]
        self.patterns = [portable(field.pattern) for _, _, field, _ in self._rules if field.pattern]
        self.closed = [n for n, e in enumerate(self._events) if e.spec.undefined_fields != "evolve"]
        self.renames = any(event.spec.synonyms for event in self._events)
        paths = {path for _, path, _, _ in self._rules}
        self.columns = {path: column for path, column in COLUMNS.items() if path in paths}
        below = [path for path in paths if path not in COLUMNS]
        self.depth = max((path.count(".") for path in below), default=1 if self.closed else 0)

    def roots(self) -> dict[str, list[int]]:
        """Return the roots that must be taken apart, each with the definitions that ask for it."""
        asked: dict[str, set[int]] = {}
        for number, path, _, _ in self._rules:
            if path not in COLUMNS:
                asked.setdefault(path.partition(".")[0], set()).add(number)
        for root in ROOTS:
            if self.closed and root != "context":
                asked.setdefault(root, set()).update(self.closed)
        return {root: sorted(numbers) for root, numbers in sorted(asked.items())}

    def stage(self, warehouse: Warehouse) -> None:
        """Stage the rules for the messages at hand."""
        staged = {
            "subjects": (_SUBJECTS, self._subjects()),
            "rules": (_RULES, self._rows()),
            "allowed_values": (_ALLOWED, self._allowed()),
            "known_paths": (_PATHS, self._paths(with_ends=True)),
            "prefixes": (_PATHS, self._paths(with_ends=False)),
        }
        for name, (schema, rows) in staged.items():
            columns = [list(column) for column in zip(*rows, strict=True)]
            warehouse.stage(name, pa.table(columns, schema=schema) if columns else schema.empty_table())

    def _subjects(self) -> Iterator[tuple[object, ...]]:
        for number, event in enumerate(self._events):
            for place, subject in enumerate(event.subjects):
                yield subject, number, event.name, label_of(event), place > 0, event.spec.undefined_fields

    def _rows(self) -> Iterator[tuple[object, ...]]:
        patterns = iter(range(len(self.patterns)))
        for number, (definition, path, field, mode) in enumerate(self._rules):
            yield (
                number, definition, path, _short(path), mode, field.type or "any", field.required,
                bool(field.allowed), field.min, field.max, next(patterns) if field.pattern else None,
            )  # fmt: skip

    def _allowed(self) -> Iterator[tuple[object, ...]]:
        for number, (_, _, field, _) in enumerate(self._rules):
            for value in dict.fromkeys(field.allowed):
                yield number, str(value).lower() if isinstance(value, bool) else str(value)

    def _paths(self, *, with_ends: bool) -> Sequence[tuple[object, ...]]:
        found: dict[tuple[object, ...], None] = {}
        for number, event in enumerate(self._events):
            for path in event.spec.fields:
                steps = path.split(".")
                for end in range(2, len(steps) + (1 if with_ends else 0)):
                    found[number, ".".join(steps[:end])] = None
        return list(found)


def judge(warehouse: Warehouse, rules: Rules, columns: Sequence[str]) -> Judged:
    """Hold `opened` (with these `columns`) against the rules: stage `found_violations`, rewrite `opened`.

    What a rule in mode quarantine holds back is wrong from here on, for the reasons in `judged_reasons`; what
    was said under a synonym has the event's own name.
    """
    rules.stage(warehouse)
    warehouse.derive("subject_rows", sql.SUBJECT_ROWS)
    _take_members(warehouse, rules)
    found = [sql.broken(rules.patterns)]
    if rules.closed:
        found.append(sql.UNDEFINED_FIELDS)
    if rules.unknown_events != "evolve":
        found.append(sql.undefined_events(rules.unknown_events))
    warehouse.derive(
        "found_violations", " UNION ALL ".join(f"SELECT * FROM ({one}) AS found" for one in found)
    )
    modes = set(warehouse.query("SELECT DISTINCT mode FROM found_violations")["mode"].to_pylist())
    warehouse.derive("held_back", sql.HELD_BACK)
    warehouse.derive("renamed", sql.RENAMED)
    renames = rules.renames and bool(warehouse.query("SELECT position FROM renamed LIMIT 1").num_rows)
    if "quarantine" in modes or renames:
        warehouse.derive("opened", sql.rewritten(columns))
    if modes:
        warehouse.derive("new_violations", sql.COUNTED_VIOLATIONS)
    return Judged("quarantine" in modes, renames, bool(modes))


def _take_members(warehouse: Warehouse, rules: Rules) -> None:
    """Stage `said_members`: what messages of defined events hold, as deep as the definitions go."""
    roots = rules.roots()
    selects = list(sql.own_members(rules.columns))
    if roots:
        warehouse.derive("said_objects", " UNION ALL ".join(sql.objects(*root) for root in roots.items()))
        for depth in range(1, max(rules.depth, 1) + 1):
            if depth > 1:
                warehouse.derive("said_objects", sql.inner_objects(f"said_members_{depth - 1}"))
            warehouse.derive(f"said_members_{depth}", sql.members("said_objects"))
            selects.append(f"SELECT position, number, definition, path, value FROM said_members_{depth}")
    if not selects:
        selects = ["SELECT position, number, definition, '' AS path, '' AS value FROM subject_rows LIMIT 0"]
    warehouse.derive("said_members", " UNION ALL ".join(selects))


def label_of(event: Event) -> str:
    """Return an event's name as reasons spell it: `Order Completed` → `order_completed`."""
    return re.sub(r"[^\w]+", "_", event.name.replace("İ", "i").lower()).strip("_") or "event"


def _short(path: str) -> str:
    return path.removeprefix("properties.").removeprefix("fields.")


def _asks(field: Field) -> bool:
    return bool(
        field.required or field.type or field.allowed or field.pattern or field.min is not None
        or field.max is not None
    )  # fmt: skip
