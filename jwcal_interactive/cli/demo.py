"""``jwcal demo``: everything once, on a simulated exposure."""

from __future__ import annotations

from pathlib import Path

import click

from jwcal_interactive.cli.display import Display, outcome_table
from jwcal_interactive.demo import DEMO_SUBARRAYS
from jwcal_interactive.errors import NotebookError

__all__ = ["command"]


@click.command("demo")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("jwcal_demo"),
    show_default=True,
    help="Folder for all files of the demonstration.",
)
@click.option(
    "--subarray",
    type=click.Choice(DEMO_SUBARRAYS),
    default="FULL",
    show_default=True,
    help="FULL: 2048 x 2048 pixels, 10 groups; SUB640: 640 x 640 pixels, 8 groups, 3 integrations.",
)
@click.option("--headless", is_flag=True, help="Stop before JupyterLab is opened.")
@click.option("--no-browser", is_flag=True, help="Start JupyterLab, but only print the address of the page.")
def command(output: Path, subarray: str, headless: bool, no_browser: bool) -> None:
    """Calibrate a simulated NIRCam exposure, export the session as a notebook, and repeat it headless.

    Needs no network: the exposure is simulated and its references come from an embedded CRDS context. Both are
    made on first use and kept. At the end JupyterLab opens on the workbench with this session.
    """
    from jwcal_interactive.demo import demo_session, repeat_with_papermill, write_demo
    from jwcal_interactive.pipeline import peak_memory

    display = Display()
    with display.bar("preparing the demonstration") as bar:
        session = demo_session(output, subarray, progress=lambda text: bar.update(title=text))
    display.say(f"raw exposure: {session.path}")
    with display.bar("calibrating", 1.0) as bar:
        session.run(progress=bar.step)
    display.out.print(outcome_table(session.outcomes(), f"{session.recipe.alias} on {session.path.name}"))
    with display.bar("writing products and notebook"):
        demo = write_demo(session, output)
    for path in (*demo.products, demo.notebook, demo.session_file):
        display.out.print(f"wrote {path}")
    with display.bar("running the notebook with papermill"):
        executed, identical = repeat_with_papermill(demo, output)
    display.out.print(f"wrote {executed}")
    if not identical:
        raise NotebookError(
            f"{executed}: the arrays differ from those of the session. This is a defect; please report it."
        )
    display.out.print("The arrays of the interactive session and of the papermill run are bit-identical.")
    display.say(f"peak memory of this process: {peak_memory() / 1e9:.1f} GB")
    if not headless:
        from jwcal_interactive.lab import open_lab

        open_lab(demo.session_file, run=True, browser=not no_browser, say=display.say)
