"""``jwcal run``: calibrate one exposure from the command line."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jwcal_interactive.cli.arguments import parse_assignments
from jwcal_interactive.cli.display import Display, outcome_table, plan_table

if TYPE_CHECKING:
    from rich.table import Table

    from jwcal_interactive.headless import Calibrated

__all__ = ["command"]


_UNITS = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def _as_bytes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Bytes of a text such as 2GB, 1.5 G or 800MB."""
    if value is None:
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]*)?)\s*([KMGT])i?B?\s*", value, re.IGNORECASE)
    if found is None:
        raise click.BadParameter(
            f"{value!r} is not an amount of memory: it must be a number with its unit (kB, MB, GB or TB), "
            "such as 800MB or 2GB."
        )
    return int(float(found[1]) * _UNITS[found[2].upper()])


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("pipeline_or_step")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output-dir",
    "--output_dir",
    type=click.Path(path_type=Path),
    help="Folder for the products; default: the current folder.",
)
@click.option("--context", help="CRDS context such as jwst_1364.pmap, or demo; default: CRDS_CONTEXT.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads; default: all processors.")
@click.option(
    "--memory-limit",
    callback=_as_bytes,
    help="Memory that may be used, such as 2GB or 800MB; default: as needed.",
)
@click.option(
    "--plan", is_flag=True, help="Tell which steps run in bands of rows, and the memory needed; run nothing."
)
@click.option("--quiet", is_flag=True, help="No progress and no table, only the names of the products.")
@click.pass_context
def command(
    ctx: click.Context,
    pipeline_or_step: str,
    file: Path,
    output_dir: Path | None,
    context: str | None,
    threads: int | None,
    memory_limit: int | None,
    plan: bool,
    quiet: bool,
) -> None:
    """Run a pipeline (or one step) on FILE and write its products.

    PIPELINE_OR_STEP is a pipeline (detector1 or calwebb_detector1, dark, guider) or the name of one step
    (jump). FILE is a raw exposure (_uncal.fits); a single step also takes a ramp (_ramp.fits). FILE may be
    a folder: its exposures are calibrated in the order in which they were taken.

    \b
    Settings are written as with strun:
      --steps.STEP.PARAM=VALUE             a parameter, e.g. --steps.jump.rejection_threshold=5
      --steps.STEP.override_REFTYPE=FILE   another reference file, or N/A to go without
      --steps.STEP.save_results=true       also write the result of a step, e.g. _dark_current.fits
      --save_calibrated_ramp=true          also write the ramp before ramp_fit (_ramp.fits)
    For a single step, --PARAM=VALUE is enough. `jwcal steps` lists steps and parameters.

    \b
    Examples:
      jwcal run detector1 jw01_uncal.fits --output-dir products
      jwcal run calwebb_detector1 jw01_uncal.fits --steps.jump.rejection_threshold=5.5
      jwcal run detector1 jw01_uncal.fits --steps.dark_current.save_results=true
      jwcal run jump jw01_dark_current.fits --rejection_threshold=5.5 --context jwst_1364.pmap
      jwcal run detector1 visit --steps.visit_persistence.skip=false

    Exit status: 0 if all went well, 2 for a mistake in the input (one message, no product), 130 if stopped.
    """  # noqa: D301 - \b keeps click from filling the lines
    from jwcal_interactive.headless import calibrate
    from jwcal_interactive.pipeline import Outcome, Watch
    from jwcal_interactive.planning import Plan
    from jwcal_interactive.steps.catalogue import STEPS
    from jwcal_interactive.tiles import Tiles
    from jwcal_interactive.visit import exposures_of_visit, looking_back

    alone = pipeline_or_step if pipeline_or_step in STEPS else None
    settings = parse_assignments(tuple(ctx.args), alone)
    display = Display(quiet=quiet)
    tiles = Tiles(cancel=threading.Event())
    if threads is not None:
        tiles = replace(tiles, threads=threads)
    exposures: tuple[Path, ...] = (file,)
    params: Mapping[str, Mapping[str, Any]] = settings.params
    if file.is_dir():
        exposures, params = exposures_of_visit(file), looking_back(params, file)

    def planned(found: Plan) -> bool:
        told = f"peak memory: {found.peak / 1e6:.0f} MB predicted"
        if plan:
            display.out.print(plan_table(found))
            display.out.print(told)
        else:
            display.say(told)
        return not plan

    for exposure in exposures:
        outcomes: list[Outcome] = []
        with display.bar(f"reading {exposure.name}", 1.0) as bar:
            done = calibrate(
                exposure,
                pipeline_or_step,
                output_dir=output_dir,
                params=params,
                overrides=settings.overrides,
                context=context,
                save_calibrated_ramp=settings.save_calibrated_ramp,
                save_results=settings.save_results,
                memory_limit=memory_limit,
                on_plan=planned,
                watch=Watch(bar.step, tiles),
                on_outcome=outcomes.append,
                on_message=_in(bar),
            )
        if not plan:
            _tell(display, done, outcome_table(outcomes, f"{pipeline_or_step} on {exposure.name}"), quiet)


def _tell(display: Display, done: Calibrated, table: Table, quiet: bool) -> None:
    if not quiet:
        display.out.print(table)
    for note in done.notes:
        click.echo(f"jwcal: note: {note}", err=True)
    for product in done.products:
        display.out.print(str(product))


def _in(bar: Any) -> Any:
    return lambda text: bar.update(title=text)
