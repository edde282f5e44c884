"""Long raw exposures for benchmarks: written integration by integration, in any size, without a simulator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

_BLOCK = 2880  # bytes


def lengthen(template: Path, path: Path, nints: int) -> Path:
    """Write a level-1b file with the integrations of another one, again and again, up to ``nints``.

    Values of an integration are shifted by its number, so that no two are equal. Its rows in the tables
    ``GROUP`` and ``INT_TIMES`` are numbered anew; their times are those of the template.

    Parameters
    ----------
    template : Path
        A plain level-1b file.
    path : Path
        What to write.
    nints : int
        Integrations, at least those of the template.
    """
    with fits.open(template) as hdus:
        primary, sci = hdus[0].header.copy(), hdus["SCI"].header.copy()
        info = hdus["SCI"].fileinfo()
        shape = hdus["SCI"].shape
        tables = [_longer_table(hdus[name], nints) for name in ("GROUP", "INT_TIMES") if name in hdus]
        extra = [_bytes(hdu) for hdu in (*tables, *(hdu for hdu in hdus[1:] if hdu.name == "ASDF"))]
    for keyword in ("NINTS", "INTEND"):
        if keyword in primary:
            primary[keyword] = nints
    sci["NAXIS4"] = nints
    one = int(np.prod(shape[1:])) * 2
    raw = np.fromfile(template, ">i2", count=int(np.prod(shape)), offset=info["datLoc"]).reshape(shape)
    with path.open("wb") as stream:
        stream.write(primary.tostring().encode())
        stream.write(sci.tostring().encode())
        for number in range(nints):
            stream.write(np.ascontiguousarray(raw[number % shape[0]] + np.int16(number % 7), ">i2").data)
        stream.write(bytes(-(nints * one) % _BLOCK))
        for content in extra:
            stream.write(content)
    return path


def _longer_table(hdu: fits.BinTableHDU, nints: int) -> fits.BinTableHDU:
    rows = np.asarray(hdu.data)
    number = rows["integration_number"]
    kept = [rows[number == one] for one in np.unique(number)]
    parts = [kept[k % len(kept)].copy() for k in range(nints)]
    for k, part in enumerate(parts):
        part["integration_number"] = k + 1
    return fits.BinTableHDU(np.concatenate(parts), name=hdu.name)


def _bytes(hdu: fits.hdu.base.ExtensionHDU) -> bytes:
    data = np.asarray(hdu.data)
    data = data.astype(data.dtype.newbyteorder(">"))
    return bytes(hdu.header.tostring().encode() + data.tobytes() + bytes(-data.nbytes % _BLOCK))
