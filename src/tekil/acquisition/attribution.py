"""Sharing out credit on a schedule: read beside the loop, written between cycles, changes on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from tekil.acquisition.channels import CHANNELS_KIND, ChannelsSpec, channels_of
from tekil.acquisition.conversions import CONVERSION_KIND, ConversionSpec, conversions_in, conversions_sql
from tekil.acquisition.credit import Shared, share_conversions
from tekil.acquisition.learned import ROUNDS
from tekil.acquisition.spend import CLICKS, SPEND, spend_sql
from tekil.acquisition.tables import CONVERSIONS, CREDITS, LEARNED, MODELS, RESTATEMENTS, RUNS
from tekil.definitions import stored
from tekil.engine import Engine, utc_now
from tekil.errors import TekilError
from tekil.warehouse import Table, Warehouse

STAGED = ("shared_conversions", "shared_credits", "shared_learned", "shared_version", "shared_sums")

PAUSE_MIN, PAUSE_MAX = timedelta(minutes=1), timedelta(hours=1)
PAUSES = 50
"""Credit is shared out anew when something has happened, and fifty times as long has passed as it took."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is shared out, and how: the definitions as of a revision."""

    revision: int
    channels: ChannelsSpec
    conversions: Mapping[str, ConversionSpec]
    zone: str
    currency: str


class Attribution:
    """The credit of an installation. `ask` may be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        zone: str,
        currency: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        rounds: int = ROUNDS,
    ) -> None:
        """Take the engine, the zone whose days are counted, and the currency in which sums are told."""
        self._engine, self._zone, self._currency, self._clock = engine, zone, currency, clock
        self._rounds = rounds
        self._wanted = threading.Event()
        self._worker = ThreadPoolExecutor(1, "tekil-credit")
        self._reading: Future[Shared | None] | None = None
        self._plan: Plan | None = None
        self._made_at: datetime | None = None
        self._made_of: tuple[int, int] | None = None
        self._pause = PAUSE_MIN
        self.problem = ""

    def ask(self) -> None:
        """Have credit shared out anew as soon as the engine has a moment."""
        self._wanted.set()

    @property
    def is_running(self) -> bool:
        """Whether it is under way, or asked for."""
        return self._reading is not None or self._wanted.is_set()

    def step(self) -> bool:
        """Begin where it is time; write what was read. On the engine's thread, between two cycles."""
        if self._reading is None:
            if self._is_due():
                self._wanted.clear()
                self._plan = self._read_plan()
                self._reading = self._worker.submit(self._read, self._plan)
            return False
        if not self._reading.done():
            return False
        reading, self._reading = self._reading, None
        if (problem := reading.exception()) is not None:
            # What cannot be shared out today must not stop the loop; whoever asks is told why.
            self.problem = problem.message if isinstance(problem, TekilError) else str(problem)
            return True
        self._write(reading.result())
        self.problem = ""
        took = self._clock() - (self._made_at or self._clock())
        self._pause = min(max(took * PAUSES, PAUSE_MIN), PAUSE_MAX)
        return True

    def run(self) -> None:
        """Share out credit now, on the calling thread: the engine's own, between cycles."""
        self._plan = self._read_plan()
        self._write(self._read(self._plan))

    def close(self) -> None:
        """Wait for what is being read."""
        self._worker.shutdown()

    def _is_due(self) -> bool:
        if self._wanted.is_set() or self._made_of is None:
            return True
        if self._made_of[0] != self._engine.store.definitions.revision():
            return True
        is_time = self._made_at is None or self._clock() >= self._made_at + self._pause
        return is_time and self._made_of[1] != self._engine.warehouse.marks().cycle

    def _read_plan(self) -> Plan:
        definitions = self._engine.store.definitions
        revision = definitions.revision()
        self._made_at, self._made_of = self._clock(), (revision, self._engine.warehouse.marks().cycle)
        of = {
            kind: [stored(version) for version in definitions.current(kind)]
            for kind in (CHANNELS_KIND.name, CONVERSION_KIND.name)
        }
        return Plan(
            revision,
            channels_of(of[CHANNELS_KIND.name]),
            conversions_in(of[CONVERSION_KIND.name]),
            self._zone,
            self._currency,
        )

    def _read(self, plan: Plan) -> Shared | None:
        if not plan.conversions:
            return None
        conversions = conversions_sql(dict(plan.conversions), plan.zone, plan.currency)
        now = self._engine.warehouse.marks().clock or self._clock()
        pairs = self._engine.warehouse.read(pairs_sql(conversions), now=now)
        if not pairs.num_rows:
            return None
        lost = self._engine.warehouse.read(lost_sql(conversions, list(plan.conversions)), now=now)
        return share_conversions(pairs, lost, self._rounds)

    def _write(self, shared: Shared | None) -> None:
        assert self._plan is not None
        warehouse = self._engine.warehouse
        marks = warehouse.marks()
        versions = warehouse.query(f"SELECT coalesce(max(version), 0) AS version FROM {RUNS.name}")
        version = int(versions["version"][0].as_py()) + 1
        with warehouse.transaction():
            warehouse.remake(SPEND, spend_sql(self._plan.channels, self._currency))
            _write_credit(warehouse, shared, version)
            warehouse.append(RUNS.name, _run_sql(version, marks.cycle, self._made_at or self._clock()))


def pairs_sql(conversions: str) -> str:
    """Return the SELECT of each conversion with every touch before it, as `share_conversions` wants it."""
    return f"""SELECT c.conversion, c.conversion_key, c.person_key, c.converted_at, c.day, c.gross,
  c.refunded, c.currency, CAST(c.amount * 100 AS BIGINT) AS hundredths, CAST(c.counts AS BIGINT) AS counts,
  t.touched_at, t.channel, t.source, t.medium, coalesce(k.campaign, t.campaign) AS campaign,
  coalesce(k.keyword, t.keyword) AS keyword
FROM ({conversions}) AS c
LEFT JOIN touches AS t ON t.person_key = c.person_key AND t.touched_at <= c.converted_at
  AND t.touched_at >= shifted(c.converted_at, -c.lookback_us)
LEFT JOIN ({CLICKS}) AS k ON k.click_id = t.click_id
ORDER BY c.conversion, c.conversion_key, t.touched_at, t.touch_key"""


def lost_sql(conversions: str, names: Sequence[str]) -> str:
    """Return the SELECT, by conversion, of the touches of people who have not converted, or not since."""
    each = " UNION ALL ".join(f"SELECT '{name}' AS conversion" for name in names)
    return f"""SELECT n.conversion, t.person_key, t.channel
FROM ({each}) AS n CROSS JOIN touches AS t
LEFT JOIN (
  SELECT conversion, person_key, max(converted_at) AS last_at FROM ({conversions}) AS c
  GROUP BY conversion, person_key
) AS l ON l.conversion = n.conversion AND l.person_key = t.person_key
WHERE l.last_at IS NULL OR t.touched_at > l.last_at
ORDER BY n.conversion, t.person_key, t.touched_at, t.touch_key"""


def _parts(column: str, unit: str) -> str:
    return f"CAST(CAST({column} AS DECIMAL(18, 0)) * CAST({unit} AS DECIMAL(5, 4)) AS DECIMAL(18, 4))"


def _write_credit(warehouse: Warehouse, shared: Shared | None, version: int) -> None:
    """Put conversions and credits in place of those of the version before; note what they restate."""
    if shared is None:
        for table in (CONVERSIONS, CREDITS, LEARNED):
            warehouse.overwrite(table.name, f"SELECT * FROM {table.name} WHERE FALSE")
        return
    for name, rows in (("shared_conversions", shared.conversions), ("shared_credits", shared.credits)):
        warehouse.stage(name, rows)
    warehouse.stage("shared_learned", shared.learned)
    values = {f"value_{model}": "0.01" for model in MODELS} | {f"share_{model}": "0.0001" for model in MODELS}
    warehouse.stage("shared_version", pa.table({"version": pa.array([version], pa.int64())}))
    warehouse.derive("shared_sums", _sums_sql())
    warehouse.append(RESTATEMENTS.name, _restated_sql())
    warehouse.remake(CREDITS, _select(CREDITS, values, "shared_credits"))
    amounts = {"amount": "0.01"}
    warehouse.remake(CONVERSIONS, _select(CONVERSIONS, amounts, "shared_conversions"))
    parts = dict.fromkeys(("share", "low", "high", "error"), "0.0001")
    warehouse.remake(LEARNED, _select(LEARNED, parts, "shared_learned"))
    for name in STAGED:
        warehouse.drop(name)


def _select(table: Table, units: Mapping[str, str], staged: str) -> str:
    columns = [
        f"{_parts('hundredths' if name == 'amount' else name, units[name])} AS {name}"
        if name in units
        else name
        for name in table.column_names
    ]
    return f"SELECT {', '.join(columns)} FROM {staged}"


_ZERO = "CAST(0 AS DECIMAL(18, 4))"


def _sums_sql() -> str:
    """Return the SELECT of what each day and channel is credited with by each model, before and now."""
    before = ", ".join(f"value_{m} AS before_{m}" for m in MODELS)
    made = ", ".join(f"{_parts(f'value_{m}', '0.01')} AS after_{m}" for m in MODELS)
    none_before, none_after = (
        ", ".join(f"{_ZERO} AS {side}_{m}" for m in MODELS) for side in ("before", "after")
    )
    sums = ", ".join(
        f"CAST(sum({side}_{m}) AS DECIMAL(18, 4)) AS {side}_{m}"
        for m in MODELS
        for side in ("before", "after")
    )
    return f"""SELECT conversion, day, channel, {sums} FROM (
  SELECT conversion, day, channel, {before}, {none_after} FROM {CREDITS.name}
  UNION ALL
  SELECT conversion, day, channel, {none_before}, {made} FROM shared_credits
) AS both_ways GROUP BY conversion, day, channel"""


def _restated_sql() -> str:
    """Return the SELECT of what days that were told before say otherwise now, by model and channel."""
    each = " UNION ALL ".join(
        f"""SELECT '{model}' AS model, conversion, day, channel, before_{model} AS before_value,
    after_{model} AS after_value FROM shared_sums WHERE before_{model} <> after_{model}"""
        for model in MODELS
    )
    told = f"SELECT conversion, max(day) AS last_day FROM {CREDITS.name} GROUP BY conversion"
    return f"""SELECT v.version, e.* FROM ({each}) AS e CROSS JOIN shared_version AS v
JOIN ({told}) AS t ON t.conversion = e.conversion AND e.day < t.last_day"""


def _run_sql(version: int, cycle: int, made_at: datetime) -> str:
    return f"""SELECT CAST({version} AS BIGINT) AS version,
  TIMESTAMP '{made_at.isoformat(sep=" ")}' AS made_at,
  CAST({cycle} AS BIGINT) AS cycle, count(*) AS conversions,
  CAST(coalesce(sum(amount), 0) AS DECIMAL(18, 4)) AS amount,
  (SELECT count(*) FROM {RESTATEMENTS.name} WHERE version = {version}) AS restated
FROM {CONVERSIONS.name}"""
