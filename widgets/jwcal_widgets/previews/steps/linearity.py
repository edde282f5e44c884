"""linearity: how the picked pixel is corrected."""

from __future__ import annotations

import html

import numpy as np

from jwcal_interactive.arrays import Ramp, Reference
from jwcal_interactive.checks.changes import change_flags
from jwcal_interactive.checks.nonlinearity import corrected_signal
from jwcal_interactive.dq import DQ, names
from jwcal_widgets.frame_rows import nearest_row
from jwcal_widgets.line_colors import AVERAGE, MAIN, SECOND
from jwcal_widgets.plotting import F64
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import Line, Plot, Report, figure_of, flag_table, muted

__all__ = ["PREVIEW"]

_POINTS = 60


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    ny, nx = after.pixeldq.shape
    x = min(look.pixel.x, nx - 1)
    y = min(nearest_row(look.session.exposure, look.pixel.y, look.pixel.rows, ny), ny - 1)
    table = flag_table(change_flags(before.pixeldq, after.pixeldq), {})
    reference = look.session.load_references("linearity")["linearity"]
    measured, corrected = before.data[:, :, y, x].ravel(), after.data[:, :, y, x].ravel()
    saturated = (after.groupdq[:, :, y, x].ravel() & np.uint8(DQ.SATURATED)) != 0
    known = np.isfinite(measured) & np.isfinite(corrected) & ~saturated
    where = f"<b>Pixel x {x}, y {y}</b>"
    if reference is None or not known.any():
        why = "all its groups are saturated" if saturated.any() else "it has no finite value"
        return Report((), f"{where}: no curve: {'no reference' if reference is None else why}. {table}")
    points = measured[known].astype(float), corrected[known].astype(float)
    curve = _curve(reference, y, x, points[0])
    flags = names(int(after.pixeldq[y, x])) or ("no flag",)
    most = float(points[0].max())
    largest = float(np.abs(points[1] - points[0]).max())
    if curve is None:
        how = "<b>not corrected</b> (no polynomial in the reference)"
    else:
        how = f"corrected by up to {figure_of(largest)} DN, {_percent(largest, most)} at {figure_of(most)} DN"
    notes = "dots: groups of all integrations that are not saturated; click the image for another pixel"
    if before.exposure.nframes > 1 and "INV_COEFFS" in reference.arrays:
        notes += "; the frames of a group are corrected one by one, so that dots may be off the curve"
    return Report(
        _plots(points, curve),
        f"{where} ({html.escape(', '.join(flags))}): {how}. {muted(notes + '.')} {table}",
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2g} %" if whole > 0 else "–"


def _curve(reference: Reference, y: int, x: int, measured: F64) -> tuple[F64, F64] | None:
    signal = np.linspace(min(0.0, float(measured.min())), float(measured.max()) * 1.05, _POINTS)
    corrected = corrected_signal(reference, y, x, signal)
    return None if corrected is None else (signal, corrected)


def _plots(points: tuple[F64, F64], curve: tuple[F64, F64] | None) -> tuple[Plot, ...]:
    """Corrected against measured signal, and what was added."""
    order = np.argsort(points[0])
    measured, corrected = points[0][order], points[1][order]
    ends = np.array([min(0.0, float(measured[0])), float(measured[-1])])
    one, other = [Line("no correction", ends, ends, AVERAGE, "dashed")], []
    if curve is not None:
        one.append(Line("polynomial", *curve, SECOND))
        other.append(Line("polynomial", curve[0], curve[1] - curve[0], SECOND))
    one.append(Line("groups", measured, corrected, MAIN, "dotted", dots=True))
    other.append(Line("groups", measured, corrected - measured, MAIN, "dotted", dots=True))
    return (
        Plot("measured (DN)", "corrected (DN)", tuple(one)),
        Plot("measured (DN)", "correction (DN)", tuple(other)),
    )


PREVIEW = Reporter("Does the correction of this pixel grow smoothly with its signal?", _report, uses_pixel=True)
