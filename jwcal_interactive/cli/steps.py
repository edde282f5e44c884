"""``jwcal steps``: the steps and their parameters."""

from __future__ import annotations

import click
from rich.table import Table

from jwcal_interactive.cli.display import Display

__all__ = ["command"]


@click.command("steps")
@click.argument("step", required=False)
def command(step: str | None) -> None:
    """List the steps of each pipeline, or the parameters of one STEP."""
    display = Display()
    for table in _parameters(step) if step else _pipelines():
        display.out.print(table)


def _pipelines() -> list[Table]:
    from jwcal_interactive.recipes import RECIPES
    from jwcal_interactive.steps.catalogue import STEPS

    tables = []
    for recipe in RECIPES.values():
        table = Table(title=f"{recipe.alias}: {recipe.title}", title_justify="left")
        table.add_column("step")
        table.add_column("what it does")
        table.add_column("references")
        table.add_column("parameters")
        for name in recipe.steps:
            definition = STEPS[name]
            own = [i.name for i in definition.params.infos() if i.name != "skip"]
            references = ", ".join(definition.references)
            table.add_row(name, definition.summary, references, str(len(own)))
        tables.append(table)
    return tables


def _parameters(name: str) -> list[Table]:
    from jwcal_interactive.steps.catalogue import get_step

    definition = get_step(name)
    table = Table(title=f"{name}: {definition.summary}", title_justify="left")
    for column in ("parameter", "default", "unit", "allowed", "help"):
        table.add_column(column, no_wrap=column == "parameter")
    for info in definition.params.infos():
        table.add_row(info.name, str(info.default), info.unit, info.allowed, info.help)
    tables = [table]
    if definition.params.without_effect:
        rest = Table(title="Official parameters that are accepted, without effect", title_justify="left")
        rest.add_column("parameter", no_wrap=True)
        rest.add_column("why")
        for other, why in definition.params.without_effect.items():
            rest.add_row(other, why)
        tables.append(rest)
    return tables
