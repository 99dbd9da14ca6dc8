"""`tekil demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tekil.cli.init import PORT
from tekil.cli.telling import say
from tekil.demonstration import run_demo


class Instant(click.ParamType[datetime]):
    """An instant in ISO 8601; one without a zone is UTC."""

    name = "instant"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the instant, or say how one is written."""
        try:
            instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant; write one like 2026-11-20T15:30:00Z.", param, ctx)
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@click.command()
@click.option("--people", type=click.IntRange(1), default=3000, show_default=True, help="Its customers.")
@click.option("--days", type=click.IntRange(1), default=120, show_default=True, help="Its days of history.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same company.")
@click.option("--until", type=Instant(), help="Its history ends then: 2026-11-20T15:30:00Z. Now otherwise.")
@click.option("--collect-port", type=PORT, default=8000, show_default=True)
@click.option("--console-port", type=PORT, default=8001, show_default=True)
@click.option("--into", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--keep", is_flag=True, help="Go on with what an earlier run left; start afresh otherwise.")
@click.option("--history-only", is_flag=True, help="Send the history, then only listen.")
def demo(
    people: int,
    days: int,
    seed: int,
    until: datetime | None,
    collect_port: int,
    console_port: int,
    into: Path,
    keep: bool,
    history_only: bool,
) -> None:
    """Start Tekil and Minder Evi, a simulated home-textiles shop that talks to it over HTTP."""
    run_demo(
        into,
        people=people,
        days=days,
        seed=seed,
        until=until or datetime.now(UTC),
        ports=(collect_port, console_port),
        keep=keep,
        live=not history_only,
        say=say,
    )
