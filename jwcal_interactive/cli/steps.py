"""``jwcal steps``: the steps and their parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jwcal_interactive.cli.display import Display

if TYPE_CHECKING:
    from jwcal_interactive.params import ParamInfo
    from jwcal_interactive.recipes import Recipe

__all__ = ["command"]

_INDENT = 4


@click.command("steps")
@click.argument("step", required=False)
def command(step: str | None) -> None:
    """List the steps of each pipeline, or the parameters of one STEP."""
    display = Display()
    for part in _parameters(step) if step else _pipelines():
        display.out.print(part, soft_wrap=False)


def _pipelines() -> Iterator[Table | Text]:
    from jwcal_interactive.recipes import RECIPES

    for recipe in RECIPES.values():
        yield _steps_of(recipe)
    yield Text("Parameters and references of a step: jwcal steps STEP")


def _steps_of(recipe: Recipe) -> Table:
    from jwcal_interactive.steps.catalogue import STEPS

    table = Table(title=f"{recipe.alias}: {recipe.title}", title_justify="left")
    table.add_column("step", no_wrap=True)
    table.add_column("default", no_wrap=True)
    table.add_column("what it does")
    for name in recipe.steps:
        off = STEPS[name].params.info("skip").default
        table.add_row(name, "off" if off else "on", STEPS[name].summary)
    return table


def _parameters(name: str) -> Iterator[Padding | Text]:
    from jwcal_interactive.steps.catalogue import get_step

    definition = get_step(name)
    yield Text.assemble((name, "bold"), f": {definition.summary}")
    yield _indented(f"References: {', '.join(definition.references) or 'none'}")
    yield Text()
    for info in definition.params.infos():
        yield _heading(info)
        yield _indented(info.help)
    if definition.params.without_effect:
        yield Text("\nOfficial parameters that are accepted, without effect:")
        for other, why in definition.params.without_effect.items():
            yield _indented(f"{other}: {why}")


def _heading(info: ParamInfo) -> Text:
    value = info.default
    default = "none" if value is None else repr(value) if info.kind == "str" else str(value)
    unit = f" {info.unit}" if info.unit and value is not None else ""
    allowed = f"{info.unit}; {info.allowed}" if info.unit and not unit else info.allowed
    return Text.assemble((info.name, "bold"), f" = {default}{unit}", (f"  ({allowed})", "dim"))


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, _INDENT), expand=False)
