"""`tekil retention`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tekil import config
from tekil.access.audit import Act
from tekil.api.retention import planned_rule
from tekil.app.engine import open_engine
from tekil.cli.opening import here, opened_store
from tekil.cli.telling import as_json, existing, print_rows, say
from tekil.library import Tekil
from tekil.privacy import open_keys
from tekil.retention import SUGGESTED, Retention


@click.group()
def retention() -> None:
    """How long things are kept: what would go, having it go, and what went."""


@retention.command("suggest")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def suggest(file: Path) -> None:
    """Write rules to begin with into FILE. Change them, look with `tekil plan`, and `tekil apply` them."""
    if file.exists():
        raise click.BadParameter(f"{file} is there already; it was left as it is.", param_hint="FILE")
    file.write_text(SUGGESTED, encoding="utf-8")


@retention.command("plan")
@as_json
@click.pass_context
def plan(context: click.Context, json: bool) -> None:
    """Show what each rule in force would destroy now. Changes nothing."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        told = tekil.json("GET", "/v1/retention/plan")["rules"] if tekil.is_running else None
    if told is None:
        with open_engine(settings) as engine:
            planned = Retention(engine, open_keys(settings, engine.store)).plan()
        told = msgspec.to_builtins([planned_rule(one) for one in planned])
    if not told and not json:
        say("There are no rules, so nothing is ever destroyed. `tekil retention suggest FILE` writes some.")
        return
    print_rows([_rule_row(row) for row in told], json)


@retention.command("run")
@click.pass_context
def run(context: click.Context) -> None:
    """Have the rules run now; otherwise they do so once a day."""
    settings = config.load(existing(context))
    with Tekil(settings) as tekil:
        if tekil.is_running:
            tekil.json("POST", "/v1/retention/run")
            click.echo("The rules run between the engine's cycles; `tekil retention log` shows what went.")
            return
    with open_engine(settings) as engine:
        engine.recover()
        engine.store.audit.append(here(), Act.RETENTION_RUN, "retention")
        entries = Retention(engine, open_keys(settings, engine.store)).run()
    click.echo(f"{len(entries)} rules had something to destroy.")


@retention.command("log")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@click.pass_context
def log(context: click.Context, limit: int, json: bool) -> None:
    """List what was destroyed, by which rule, newest first. Kept for three years."""
    with opened_store(existing(context)) as store:
        entries = store.destructions.newest(limit, kind="retention")
    print_rows(
        [
            {
                "at": _instant(entry.at),
                "rule": entry.reason,
                "destroyed": ", ".join(f"{count} {of}" for of, count in entry.counts.items()),
                "left": entry.proof.get("left", ""),
                "finished": entry.done_at is not None,
            }
            for entry in entries
        ],
        json,
    )


def _rule_row(row: dict[str, Any]) -> dict[str, Any]:
    about = " ".join(text for text in (row["of"], row["source"], row["event"]) if text)
    return {
        "rule": row["name"],
        "of": about,
        "keep": row["keep"],
        "before": row["before"][:10],
        "would go": row["count"],
    }


def _instant(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
