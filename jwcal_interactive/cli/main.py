"""Entry point of the ``jwcal`` command: its subcommands and how errors end."""

from __future__ import annotations

import gc
import os
import sys

import click

from jwcal_interactive.errors import Cancelled, JwcalError, one_line
from jwcal_interactive.version import VERSION

__all__ = ["cli", "main"]

_COMMANDS = ("demo", "lab", "run", "steps")
_MMAP_THRESHOLD, _FRAME_BYTES = -3, 16_000_000  # M_MMAP_THRESHOLD of malloc.h; 2048 x 2048 float32 are more


class _Commands(click.Group):
    """Subcommands that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f"jwcal_interactive.cli.{cmd_name}").command
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="jwcal")
def cli() -> None:
    """Interactive reduction of JWST exposures.

    \b
    jwcal demo                      see it all once, on a simulated exposure; needs no network
    jwcal lab FILE                  open an exposure in the workbench (JupyterLab)
    jwcal run detector1 FILE        calibrate from the command line
    jwcal steps jump                what a step does and its parameters

    Reference files come from CRDS (CRDS_PATH, CRDS_CONTEXT), from --context, or, with --context demo, from
    the embedded demo context.
    """  # noqa: D301 - \b keeps click from filling the lines


def main() -> None:
    """Run the command; an error that the user can mend is one message and exit status 2."""
    try:
        cli.main(prog_name="jwcal", standalone_mode=False)
    except click.MissingParameter as error:
        error.show()  # with the usage, which names what is missing
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"jwcal: {_in_one_line(error)}", err=True)
        sys.exit(2)
    except JwcalError as error:
        click.echo(f"jwcal: {error}", err=True)
        sys.exit(2)
    except MemoryError:
        click.echo("jwcal: not enough memory; close other programs or use a larger machine.", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)  # the reader of our output went away
    except OSError as error:  # outside of reading and writing files, which explain themselves
        click.echo(f"jwcal: the operating system refused: {one_line(error)}.", err=True)
        sys.exit(2)
    except (Cancelled, click.Abort, KeyboardInterrupt):
        click.echo("jwcal: stopped.", err=True)
        sys.exit(130)


def _in_one_line(error: click.ClickException) -> str:
    """Say what is wrong with a word of the command line, and where help is."""
    text = error.format_message()
    if isinstance(error, click.BadParameter) and error.param is not None:
        text = f"{error.param.opts[0]}: {error.message}"
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "jwcal"
    return f"{text.rstrip('.')}. See {path} --help."


def _give_back_large_arrays() -> None:
    """Have the memory of arrays as large as a frame go back to the system as soon as they are freed (glibc).

    Else the C library learns, from the first that are freed, to keep the next ones. Bands are smaller: theirs
    is used again and again.
    """
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _FRAME_BYTES)


def process() -> None:
    """Run the command as a process of its own.

    After ``jwcal run``, whose files are closed by then, the process ends at once: taking down what numba has
    loaded takes a third of a second.
    """
    if sys.argv[1:2] != ["run"]:
        main()
        return
    gc.set_threshold(50_000, 20, 20)  # loading libraries makes many objects that stay
    _give_back_large_arrays()
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = 1  # the reader of our output went away
    os._exit(status)
