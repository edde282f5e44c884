"""What a pixel is, in words: position, value, error, flags, place on the sky."""

from __future__ import annotations

import html

from jwcal_interactive.dq import names
from jwcal_widgets.planes import Plane
from jwcal_widgets.sky import SkyFrame

__all__ = ["readout", "readout_html", "sky_text"]


def readout(plane: Plane, x: int, y: int) -> str:
    """Describe a pixel: position, value ± error with unit, names of its flags."""
    return f"x {x}, y {y}: {_value(plane, x, y)}  {_flags(plane, x, y)}"


def readout_html(plane: Plane, x: int, y: int, sky: SkyFrame | None, label: str = "") -> str:
    """Describe a pixel in one line of HTML.

    Parameters
    ----------
    plane : Plane
    x, y : int
        Pixel, from 0, inside the plane.
    sky : SkyFrame or None
        Without one, no sky position is given.
    label : str
        What goes before, such as the name of the view.
    """
    parts = [f"<b>x {x}, y {y}</b>", html.escape(_value(plane, x, y)), html.escape(_flags(plane, x, y))]
    if sky is not None:
        words = "From the keywords of the file, which know nothing of distortion"
        parts.append(f"<span class='jwcal-muted' title='{words}'>{html.escape(sky_text(sky, x, y))}</span>")
    before = f"<span class='jwcal-muted'>{html.escape(label)}</span> " if label else ""
    return f"<div class='jwcal-hover'>{before}{' · '.join(parts)}</div>"


def sky_text(sky: SkyFrame, x: float, y: float) -> str:
    """RA and Dec of a pixel in degrees, marked as approximate."""
    ra, dec = sky.position(x, y)
    return f"RA {ra:.5f}° Dec {dec:+.5f}° (approximate)"


def _value(plane: Plane, x: int, y: int) -> str:
    unit = f" {plane.unit}" if plane.unit else ""
    error = "" if plane.error is None else f" ± {plane.error[y, x]:.2g}"
    return f"{plane.data[y, x]:.6g}{error}{unit}"


def _flags(plane: Plane, x: int, y: int) -> str:
    return " ".join(names(int(plane.dq[y, x]))) or "no flags"
