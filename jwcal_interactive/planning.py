"""What a run will need, before it begins: which steps go in bands, how high those are, and the peak of memory.

The model: a process with all libraries loaded takes `BASE_BYTES`. Steps that run in bands take, per thread, the
rows of a band and those within reach on both sides, times what `runner.row_bytes` counts for a row: a ramp that
is read and one that is made, with what a step works with, the slopes, and the references of the step that has
most of them. Before that, a survey that looks at all of the ramp has it in memory. Between chains a state is in
memory as a whole: 4 bytes of data and 1 of flags for each group of each pixel. A step on whole frames has its
input, its references, and its output.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.bands import Framed, Link, margin
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import is_interleaved
from jwcal_interactive.runner import Runner, band_height, row_bytes
from jwcal_interactive.steps.catalogue import STEPS

__all__ = ["BASE_BYTES", "Plan", "Stage", "fit_memory", "plan_run"]

BASE_BYTES = 215_000_000
"""Resident memory of a process with numba, astropy and the kernels of a pipeline, measured on Linux."""

_RAMP_BYTES = 5.0


@dataclass(frozen=True)
class _Own:
    """Bytes that a step on whole frames has beyond its input.

    Per group and pixel (``sample``), per pixel, and per pixel in each thread.
    """

    sample: float = _RAMP_BYTES
    pixel: float = 0.0
    thread: float = 0.0


# By default a new ramp.
_OWN = {
    "jump": _Own(2.0, 8.0),  # flags, and runs of flagged pixels
    "ramp_fit": _Own(0.0),
    "dq_init": _Own(1.0),
    "saturation": _Own(1.6),
    "clean_flicker_noise": _Own(4.0, 4.0, 12.0),  # data; the mask; scratch of an image
}
_SHOWERS = _Own(6.0, 8.0)  # flags before, centre and scatter of differences
# refpix of interleaved frames: normal pixels; mean of the groups and weights; sequences and their transforms.
_INTERLEAVED = _Own(2.8, 15.0, 9.0)
# The survey of emicorr, beyond the ramp: data without the waves found before, per group and pixel; scatter, and
# which are good, per integration and pixel; sums by phase, per group, up to a limit.
_WAVES_SAMPLE, _WAVES_PIXEL, _WAVES_GROUP, _WAVES_MOST = 4, 5, 16_000, 270_000_000
# And scipy.interpolate, which no other step loads.
_WAVES_LIBRARY = 40_000_000


@dataclass(frozen=True)
class Stage:
    """Steps that run together.

    Attributes
    ----------
    steps : tuple of str
    rows : int
        Rows of a band; 0 for whole frames.
    at_once : int
        Bands in memory at a time.
    nbytes : int
        Memory, without that of the process itself.
    least : int
        The same with bands of one row.
    """

    steps: tuple[str, ...]
    rows: int
    at_once: int
    nbytes: int
    least: int


@dataclass(frozen=True)
class Plan:
    """Stages of a run, in order; ``kept`` bytes of memory are taken throughout."""

    stages: tuple[Stage, ...]
    kept: int = 0

    @property
    def peak(self) -> int:
        """Predicted peak of resident memory, bytes."""
        return BASE_BYTES + self.kept + max((stage.nbytes for stage in self.stages), default=0)

    @property
    def least(self) -> int:
        """The same with the lowest bands, bytes."""
        return BASE_BYTES + self.kept + max((stage.least for stage in self.stages), default=0)


@dataclass(frozen=True)
class _Planned:
    """A ramp that a stage will leave: its facts and its rows and columns (ny, nx)."""

    exposure: Exposure
    frame: tuple[int, ...]


def plan_run(runner: Runner) -> Plan:
    """Find the stages of a run from shapes and settings; nothing is calibrated.

    A step that turns out to be skipped, or to need whole frames after all, can make the run differ.
    """
    stages: list[Stage] = []
    source: Framed = runner.source
    held, position, slopes = 0, 0, False
    while position < len(runner.steps):
        links = [] if slopes else runner.links(source, position)
        if any(link.definition for link in links):
            stop = position + len(links)
            kept = _ramp_bytes(source) if stop < len(runner.steps) else 0
            stages.append(_in_bands(runner, source, links, held, kept))
        else:
            stop = position + 1
            name = runner.steps[position]
            params = runner.params.get(name)
            if params is not None and not params.skip and not slopes:
                stages.append(_on_whole(runner, source, name))
        slopes = slopes or "ramp_fit" in runner.steps[position:stop]
        frame = source.frame
        if is_interleaved(frame) and "refpix" in runner.steps[position:stop]:
            frame = (source.exposure.ysize, source.exposure.xsize)
        source = _Planned(source.exposure, frame)
        held, position = _ramp_bytes(source), stop
    return Plan(tuple(stages), getattr(runner.source, "kept_bytes", 0))


def fit_memory(runner: Runner, limit: int) -> Runner:
    """Give a run that keeps within a limit, by lower bands.

    Parameters
    ----------
    runner : Runner
        It has not run yet.
    limit : int
        Bytes that the process may take.

    Raises
    ------
    InputError
        With the bytes that it would need.
    """
    room = limit - BASE_BYTES
    while room > 0:
        lower = replace(runner, band_bytes=room)
        plan = plan_run(lower)
        if plan.peak <= limit:
            return lower
        if plan.least > limit:
            break
        room = min(room * 3 // 4, room - (plan.peak - limit))
    need = plan_run(replace(runner, band_bytes=1)).peak
    raise InputError(
        f"a memory limit of {limit / 1e6:.0f} MB cannot be kept: the run needs {need / 1e6:.0f} MB at least. "
        "Raise the limit, use fewer threads, or leave out steps that need whole frames."
    )


def _in_bands(runner: Runner, source: Framed, links: list[Link], held: int, kept: int) -> Stage:
    """Plan a chain; ``held`` bytes are there before it, ``kept`` ones take what it leaves."""
    threads = runner.watch.tiles.threads
    rows, one_by_one = band_height(source, links, threads, runner.band_bytes)
    rows = min(rows, source.frame[0])
    at_once = 1 if one_by_one else min(threads, -(-source.frame[0] // rows))
    row, around = row_bytes(source, links, alone=one_by_one), 2 * margin(links)
    height = min(rows + around, source.frame[0])
    least = min(1 + around, source.frame[0])
    alone = row_bytes(source, links, alone=True)
    names = tuple(link.name for link in links if link.definition)
    survey = 0
    if "emicorr" in names:
        held += _WAVES_LIBRARY
        survey = held + _waves_bytes(source)
    bands, lowest = (held + kept + size for size in (at_once * height * row, least * alone))
    return Stage(names, rows, at_once, max(survey, bands), max(survey, lowest))


def _waves_bytes(source: Framed) -> int:
    """Bytes while emicorr looks for waves, in all of the ramp."""
    exposure, (ny, nx) = source.exposure, source.frame
    images = exposure.nints * exposure.ngroups
    own = (_WAVES_SAMPLE * images + _WAVES_PIXEL * exposure.nints) * ny * nx
    return _ramp_bytes(source) + own + min(_WAVES_GROUP * images, _WAVES_MOST)


def _on_whole(runner: Runner, source: Framed, name: str) -> Stage:
    exposure, (ny, nx) = source.exposure, source.frame
    samples = exposure.nints * exposure.ngroups * ny * nx
    per = _INTERLEAVED if name == "refpix" and is_interleaved(source.frame) else _OWN.get(name, _Own())
    if name == "jump" and getattr(runner.params[name], "find_showers", False):
        per = _SHOWERS
    own = int(per.sample * samples + (per.pixel + per.thread * runner.watch.tiles.threads) * ny * nx)
    if name == "ramp_fit":
        own += 20 * (exposure.nints + 1) * ny * nx
    types = STEPS[name].references_for(exposure, runner.params[name])
    files = [runner.book.open(name, t, runner.overrides, exact=t in STEPS[name].uncut) for t in types]
    references = sum(file.row_bytes() * ny + file.table_bytes for file in files if file is not None)
    total = _ramp_bytes(source) + own + references
    return Stage((name,), 0, 1, total, total)


def _ramp_bytes(source: Framed) -> int:
    exposure, (ny, nx) = source.exposure, source.frame
    return int(_RAMP_BYTES * exposure.nints * exposure.ngroups * ny * nx) + 8 * ny * nx
