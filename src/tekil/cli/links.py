"""`tekil identity links`: find who is alike, decide doubtful pairs, and see how right links are."""

from __future__ import annotations

from typing import Any

import click

from tekil import config
from tekil.cli.opening import here
from tekil.cli.telling import as_json, existing, print_json, print_table, say
from tekil.library import Tekil


@click.group("links")
def links() -> None:
    """Link people whom nobody named together, because they are alike."""


@links.command("run")
@as_json
@click.pass_context
def run(context: click.Context, json: bool) -> None:
    """Compare everybody anew, link who weighs enough, take back what no longer does, renew the queue."""
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.run_links(by=here())
    if json:
        print_json(told)
        return
    click.echo(
        f"{told['people']} people compared: {told['linked']} pairs are linked, {told['taken_back']} links"
        f" taken back, {told['waiting']} pairs wait for somebody to look at them."
    )
    say("The engine acts on it in its next cycle.")


@links.command("queue")
@click.option(
    "--decision",
    type=click.Choice(["waiting", "undecided", "accepted", "rejected"]),
    default="waiting",
    help="Which pairs.",
)
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many.")
@as_json
@click.pass_context
def queue(context: click.Context, decision: str, limit: int, json: bool) -> None:
    """Show pairs, the weightiest first, field by field; values are masked."""
    with Tekil(config.load(existing(context))) as tekil:
        pairs = tekil.link_queue(decision, limit)
    if json:
        print_json(pairs)
        return
    if not pairs:
        click.echo(f"No pair is {decision}.")
    for pair in pairs:
        click.echo(f"\n{pair['id']}: {pair['left']} and {pair['right']}, {pair['weight']:.2f} bits")
        _print_fields(pair["fields"])


def _print_fields(fields: list[dict[str, Any]]) -> None:
    rows = [[f["field"], f["level"], f"{f['weight']:+.2f}", f["left"], f["right"]] for f in fields]
    print_table(["field", "level", "bits", "one", "other"], rows)


@links.command("decide")
@click.argument("pair")
@click.argument("decision", type=click.Choice(["accepted", "rejected", "undecided"]))
@as_json
@click.pass_context
def decide(context: click.Context, pair: str, decision: str, json: bool) -> None:
    """Decide that a PAIR of the queue is one person (accepted), two (rejected), or not to be told."""
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.decide_link(pair, decision, by=here())
    if json:
        print_json(told)
        return
    say(f"{told['left']} and {told['right']}: {decision}.")


@links.command("trust")
@as_json
@click.pass_context
def trust(context: click.Context, json: bool) -> None:
    """Show precision and recall of links against what people decided, by weight."""
    with Tekil(config.load(existing(context))) as tekil:
        told = tekil.link_trust()
    if json:
        print_json(told)
        return
    rows = [
        [f"{t['weight']:.2f}", str(t["pairs"]), f"{t['precision']:.4f}", f"{t['recall']:.4f}"] for t in told
    ]
    print_table(["bits from", "decided pairs", "precision", "recall"], rows)
