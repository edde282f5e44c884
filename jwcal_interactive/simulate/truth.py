"""The truth of a simulated exposure as a FITS file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from jwcal_interactive.simulate.exposure import CosmicRayHits, ExtendedEvent, SimulatedExposure
from jwcal_interactive.simulate.saving import save_whole

__all__ = ["read_events", "read_truth", "write_truth"]


def write_truth(exposure: SimulatedExposure, path: str | Path) -> Path:
    """Write the truth beside a raw exposure.

    HDUs: ``SLOPE`` (ny, nx), float32, DN/s, the slope that an ideal calibration recovers (before
    inter-pixel capacitance, without dark current); ``HITS``, a table with one row per pixel that a
    particle touched: INTEGRATION, GROUP, FRAME (0-indexed; the first frame that holds the charge),
    DIFFERENCE (g of the first changed ``group[g] - group[g - 1]``, 0: none), Y, X (0-indexed,
    science frame), AMPLITUDE (linear DN); ``EVENTS``, a table of the large events among them, with the
    fields of `ExtendedEvent`.

    Parameters
    ----------
    exposure : SimulatedExposure
        What to write.
    path : str or Path
        File name, or a folder: then the exposure's official root name with ``_truth.fits``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left behind.
    """
    target = Path(path)
    if target.suffix != ".fits":
        target = target / f"{exposure.spec.rootname}_truth.fits"
    hits = exposure.hits
    primary = fits.PrimaryHDU()
    primary.header["FILENAME"] = (target.name, "name of the file")
    primary.header["SEED"] = (exposure.spec.seed, "seed of sky, noise and particles")
    primary.header["BACKGRND"] = (exposure.spec.scene.background, "[electron/s] mean background")
    slope = fits.ImageHDU(exposure.slope, name="SLOPE")
    slope.header["BUNIT"] = "DN/s"
    columns = [
        fits.Column("INTEGRATION", "J", array=hits.integration),
        fits.Column("GROUP", "J", array=hits.group),
        fits.Column("FRAME", "J", array=hits.frame),
        fits.Column("DIFFERENCE", "J", array=hits.first_difference),
        fits.Column("Y", "J", array=hits.y),
        fits.Column("X", "J", array=hits.x),
        fits.Column("AMPLITUDE", "E", unit="DN", array=hits.amplitude),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="HITS")
    hdus = fits.HDUList([primary, slope, table, _event_table(exposure.events)])
    return save_whole(target, hdus.writeto)


_EVENT_FORMATS = {"integration": "J", "group": "J", "frame": "J", "kind": "8A"}


def _event_table(events: tuple[ExtendedEvent, ...]) -> fits.BinTableHDU:
    columns = [
        fits.Column(name.upper(), _EVENT_FORMATS.get(name, "D"), array=[e[place] for e in events])
        for place, name in enumerate(ExtendedEvent._fields)
    ]
    return fits.BinTableHDU.from_columns(columns, name="EVENTS")


def read_truth(path: str | Path) -> tuple[NDArray[np.float32], CosmicRayHits]:
    """Read the slope (DN/s) and the hits back from a file of `write_truth`."""
    with fits.open(path, memmap=False) as hdus:
        slope = np.asarray(hdus["SLOPE"].data, np.float32)
        rows = hdus["HITS"].data
        hits = CosmicRayHits(
            integration=np.asarray(rows["INTEGRATION"], np.int32),
            group=np.asarray(rows["GROUP"], np.int32),
            frame=np.asarray(rows["FRAME"], np.int32),
            y=np.asarray(rows["Y"], np.int32),
            x=np.asarray(rows["X"], np.int32),
            amplitude=np.asarray(rows["AMPLITUDE"], np.float32),
        )
        return slope, hits


def read_events(path: str | Path) -> tuple[ExtendedEvent, ...]:
    """Read the large events back from a file of `write_truth`."""
    with fits.open(path, memmap=False) as hdus:
        rows = hdus["EVENTS"].data
        columns = [rows[name.upper()].tolist() for name in ExtendedEvent._fields]
    return tuple(ExtendedEvent(*values) for values in zip(*columns, strict=True))
