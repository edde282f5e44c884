"""``jwcal lab``: open an exposure in the workbench."""

from __future__ import annotations

from pathlib import Path

import click

from jwcal_interactive.cli.display import Display

__all__ = ["command"]


@click.command("lab")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--context", help="CRDS context such as jwst_1364.pmap, or demo; default: CRDS_CONTEXT.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where the notebook goes and JupyterLab starts; default: the folder of FILE.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address of the page.")
@click.option("--port", type=click.IntRange(1024, 65535), help="Port of JupyterLab; default: a free one.")
def command(
    file: Path | None, context: str | None, folder: Path | None, no_browser: bool, port: int | None
) -> None:
    """Open FILE in the workbench: JupyterLab with the steps, their panels, the image and the ramps.

    FILE is a raw exposure (_uncal.fits), a saved session (.json) or a notebook exported before. Without FILE
    the exposure of the demonstration is opened.
    """
    from jwcal_interactive.lab import open_lab

    display = Display()
    if file is None:
        from jwcal_interactive.demo import demo_exposure

        context = "demo"
        with display.bar("preparing the demonstration") as bar:
            file = demo_exposure(folder or Path("jwcal_demo"), progress=lambda text: bar.update(title=text))
    open_lab(file, context=context, folder=folder, browser=not no_browser, port=port, say=display.say)
