"""What a live preview knows of the ramp of one pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.cutouts import cut_reference
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.jump_limits import JumpLimits, jump_limits
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.ramp_fit import RampFitParams
from jwcal_interactive.steps.ramp_segments import Segment, ramp_segments
from jwcal_widgets.ramp import Fit, PixelRamp, pixel_fit, pixel_ramp
from jwcal_widgets.ramp_data import Pixel, RampData

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.params import StepParams
    from jwcal_interactive.session.preview import Preview

__all__ = ["PreviewPixel"]


@dataclass(frozen=True)
class PreviewPixel:
    """One pixel of a preview; x and y count in its window.

    Use `find`.
    """

    session: Session
    preview: Preview
    x: int
    y: int

    @classmethod
    def find(cls, session: Session, data: RampData, preview: Preview, pixel: Pixel) -> PreviewPixel | None:
        """Find a pixel in the window; None if it is outside."""
        window = preview.window
        rows = session.exposure.ysize
        y = data.row(pixel, rows)
        if y is None or not (window.y0 <= y < window.y1 and window.x0 <= pixel.x < window.x1):
            return None
        return cls(session, preview, pixel.x - window.x0, y - window.y0)

    def ramp(self, step: str, integration: int) -> PixelRamp | None:
        """Ramp after a step, or the last one if the step is not among those of the preview."""
        state = self.preview.states.get(step)
        state = state if isinstance(state, Ramp) else self.preview.ramp
        return None if state is None else pixel_ramp(state, integration, self.x, self.y)

    def fit(self, integration: int) -> Fit | None:
        """Slope with its error; integration 0 is the whole exposure."""
        rates = self.preview.rates
        return None if rates is None else pixel_fit(rates, integration, self.x, self.y)

    def segments(self, integration: int, data: RampData) -> tuple[Segment, ...]:
        """Lines fitted in the preview."""
        ramp, p = self.preview.ramp, self._params("ramp_fit")
        if ramp is None or self.preview.rates is None or not isinstance(p, RampFitParams):
            return ()
        groups = data.groups(p)
        if groups is None:
            return ()
        return ramp_segments(ramp, self._references("ramp_fit"), p, integration - 1, self.y, self.x, groups)

    def limits(self) -> JumpLimits | None:
        """Limits of jump in the preview; None if it does not look for jumps."""
        p = self._params("jump")
        if not isinstance(p, JumpParams) or p.skip or "jump" not in self.preview.states:
            return None
        before = self.preview.before
        for step, state in self.preview.states.items():
            if step == "jump":
                break
            before = state
        if not isinstance(before, Ramp):
            return None
        try:
            return jump_limits(before, self._references("jump"), p, self.y, self.x)
        except Skip:
            return None

    def _params(self, step: str) -> StepParams | None:
        if step not in self.session.steps:
            return None
        p = self.session.params(step)
        return p.model_copy(update=dict(self.preview.values)) if step == self.preview.step else p

    def _references(self, step: str) -> References:
        frame = (self.session.exposure.ysize, self.session.exposure.xsize)
        rows, columns = self.preview.window.region
        return {
            name: None if reference is None else cut_reference(reference, frame, rows, columns)
            for name, reference in self.session.load_references(step).items()
        }
