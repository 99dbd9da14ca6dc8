"""What libraries know of the world, asked once for each distinct new value and kept as small tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import ua_parser

from tekil.load.referrers import classify
from tekil.load.tables import REFERRERS, USER_AGENTS
from tekil.warehouse import Table, Warehouse, arrow_schema

# What ua-parser does not know as a spider, and calls itself one all the same.
BOT_WORDS = ("bot", "crawl", "spider", "uptime", "monitor", "headless", "preview", "curl/", "python-")

Row = tuple[object, ...]


def learn_user_agents(warehouse: Warehouse) -> None:
    """Add the user agents of the new events that were never seen before to their table."""
    _learn(warehouse, USER_AGENTS, "user_agent", describe_user_agent)


def learn_referrers(warehouse: Warehouse) -> None:
    """Add the referring hosts of the new events that were never seen before to their table."""
    _learn(warehouse, REFERRERS, "referrer_host", lambda host: (host, *classify(host)))


def describe_user_agent(text: str) -> Row:
    """Return a row of the `user_agents` table for a user agent's text."""
    result = ua_parser.parse(text)
    agent, system, device = result.user_agent, result.os, result.device
    family = device.family if device else None
    is_bot = family == "Spider" or any(word in text.lower() for word in BOT_WORDS)
    version = ".".join(part for part in (agent.major, agent.minor) if part) if agent else None
    return (
        text,
        agent.family if agent else None,
        version or None,
        system.family if system else None,
        family,
        is_bot,
    )


def _learn(warehouse: Warehouse, table: Table, column: str, describe: Callable[[str], Row]) -> None:
    new = warehouse.query(f"""
        SELECT DISTINCT f.{column} AS value FROM new_events f
        WHERE f.{column} IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM {table.name} t WHERE t.{column} = f.{column})
    """)["value"].to_pylist()
    if new:
        warehouse.stage("learned", _rows(table, [describe(value) for value in new]))
        warehouse.append(table.name, "SELECT * FROM learned")


def _rows(table: Table, rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(table.column_names, row, strict=True)) for row in rows], arrow_schema(table)
    )
