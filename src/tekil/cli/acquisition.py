"""`tekil acquisition`: what advertising cost and brought, asked of the running Tekil."""

from __future__ import annotations

from typing import Any

import click

from tekil import library
from tekil.acquisition.campaigns import CampaignLink, build_link
from tekil.acquisition.reports import DEFAULT_MODEL, DIMENSIONS
from tekil.acquisition.simulation import judge
from tekil.acquisition.tables import MODELS
from tekil.cli.telling import as_json, existing, print_json, print_rows, say

conversion = click.option("--conversion", help="Which one; otherwise the first that is defined.")
since = click.option("--since", metavar="DAY", help="From which day on; otherwise the last 30.")
until = click.option("--until", metavar="DAY", help="Up to which day, included.")


@click.group()
def acquisition() -> None:
    """See what brought visitors, what it cost and what came of it. Tekil must be running."""


def _ask(context: click.Context, path: str, method: str = "GET", **asked: Any) -> dict[str, Any]:
    with library.open(existing(context)) as tekil:
        given = {name: value for name, value in asked.items() if value is not None}
        return tekil.json(method, f"/v1/acquisition/{path}", params=given)


def _tell(answer: dict[str, Any], rows: list[dict[str, Any]], json: bool, sql: bool) -> None:
    if json:
        print_json(answer)
    elif sql:
        click.echo(answer["sql"])
    else:
        print_rows(rows, json)


show_sql = click.option("--sql", is_flag=True, help="Print the SELECT that gives it, nothing else.")


@acquisition.command("report")
@click.option("--by", type=click.Choice(DIMENSIONS), default="channel", show_default=True)
@conversion
@click.option("--model", type=click.Choice(MODELS), default=DEFAULT_MODEL, show_default=True)
@since
@until
@show_sql
@as_json
@click.pass_context
def report(context: click.Context, /, json: bool, sql: bool, **asked: Any) -> None:
    """Show spend beside what it brought."""
    answer = _ask(context, "report", **asked)
    _tell(answer, [*answer["lines"], {**answer["total"], "name": "="}], json, sql)


@acquisition.command("models")
@conversion
@since
@until
@show_sql
@as_json
@click.pass_context
def models(context: click.Context, /, json: bool, sql: bool, **asked: Any) -> None:
    """Show what each model of attribution credits each channel with."""
    answer = _ask(context, "models", **asked)
    shown = [{"name": row["name"], **{name: row[name] for name in MODELS}} for row in answer["rows"]]
    _tell(answer, shown, json, sql)


@acquisition.command("paths")
@conversion
@since
@until
@show_sql
@as_json
@click.pass_context
def paths(context: click.Context, /, json: bool, sql: bool, **asked: Any) -> None:
    """Show the paths by which most conversions came."""
    answer = _ask(context, "paths", **asked)
    _tell(answer, answer["rows"], json, sql)


@acquisition.command("figures")
@since
@until
@as_json
@click.pass_context
def figures(context: click.Context, /, json: bool, **asked: Any) -> None:
    """Show the key figures, and what they were in the period before."""
    answer = _ask(context, "figures", **asked)
    told = ("name", "unit", "value", "before", "goal")
    _tell(answer, [{name: row[name] for name in told} for row in answer["figures"]], json, False)


@acquisition.command("funnel")
@click.argument("name")
@since
@until
@show_sql
@as_json
@click.pass_context
def funnel(context: click.Context, /, name: str, json: bool, sql: bool, **asked: Any) -> None:
    """Show how many people got how far through the funnel NAME."""
    answer = _ask(context, f"funnels/{name}", **asked)
    _tell(answer, answer["rows"], json, sql)


@acquisition.command("cohorts")
@conversion
@click.option("--by", type=click.Choice(("month", "week")), default="month", show_default=True)
@show_sql
@as_json
@click.pass_context
def cohorts(context: click.Context, /, json: bool, sql: bool, **asked: Any) -> None:
    """Show people by when they first converted, and how many did again."""
    answer = _ask(context, "cohorts", **asked)
    _tell(answer, answer["rows"], json, sql)


@acquisition.command("run")
@click.pass_context
def run(context: click.Context) -> None:
    """Have credit shared out anew, now."""
    with library.open(existing(context)) as tekil:
        tekil.request("POST", "/v1/acquisition/run")
    say("Credit is shared out anew as soon as the engine has a moment.")


@acquisition.command("link")
@click.argument("url")
@click.option("--source", required=True)
@click.option("--medium", required=True)
@click.option("--campaign", required=True)
@click.option("--term", default="")
@click.option("--content", default="")
def link(url: str, **parts: str) -> None:
    """Print URL with the parts of a campaign, written as the naming standard has them."""
    click.echo(build_link(CampaignLink(url, **parts)))


@acquisition.command("judge")
@click.option("--people", type=click.IntRange(1000, 2_000_000), default=100_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@as_json
def judge_models(people: int, seed: int, json: bool) -> None:
    """Show how far each model is from the truth, in a simulated market whose channels' effects are known."""
    verdict = judge(people, seed)
    everything = {"truth": verdict.truth, **verdict.shares}
    rows = [
        {"model": model, "off": f"{verdict.distance.get(model, 0.0):.1%}"}
        | {channel: f"{share:.1%}" for channel, share in zip(verdict.channels, shares, strict=True)}
        for model, shares in everything.items()
    ]
    print_rows(rows, json)
