"""A picked pixel stays the same one where the IRS2 frame loses its interleaved reference pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Ramp
from jwcal_interactive.session.session import StepStatus
from jwcal_interactive.session.tree import SettingsTree
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.irs2 import normal_pixels, normal_rows
from jwcal_widgets.frame_rows import nearest_row, row_in_frame
from jwcal_widgets.image_panel import ImagePanel
from jwcal_widgets.messages import Messages
from jwcal_widgets.ramp_panel import REFERENCE_PIXEL, RampPanel

RAW, NORMAL = 3200, 2048


def irs2(exposure: Exposure, detector: str) -> Exposure:
    size = {"xsize": NORMAL, "ysize": NORMAL, "nints": 1, "ngroups": 2}
    return replace(exposure, instrument="NIRSPEC", detector=detector, readpatt="NRSIRS2RAPID", **size)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_rows_are_those_that_refpix_keeps(exposure, detector):
    exposure = irs2(exposure, detector)
    kept = normal_pixels(np.arange(RAW)[:, None], exposure)[:, 0]
    for y in (0, 7, 8, 1023, 2047):
        assert row_in_frame(exposure, y, NORMAL, RAW) == kept[y]
        assert row_in_frame(exposure, int(kept[y]), RAW, NORMAL) == y
    references = np.flatnonzero(~normal_rows(exposure))
    for y in map(int, references[[0, 700, -1]]):
        assert row_in_frame(exposure, y, RAW, NORMAL) is None
        near = nearest_row(exposure, y, RAW, NORMAL)
        assert abs(int(kept[near]) - y) == np.abs(kept - y).min()


def test_frames_of_one_height_need_no_table(exposure):
    assert row_in_frame(exposure, 17, 640, 640) == 17


@dataclass
class _Session:
    """What the panels ask of a session: a raw ramp, and one that refpix has made smaller."""

    exposure: Exposure
    results: dict[str, Ramp]

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(self.results)[1:]

    @property
    def tree(self) -> SettingsTree:
        return SettingsTree()

    @property
    def settings(self) -> Settings:
        return Settings()

    def result(self, step: str) -> Ramp | None:
        return self.results[step]

    kept = result

    def status(self, step: str) -> StepStatus:
        return StepStatus("done")


@pytest.fixture
def session(exposure) -> _Session:
    exposure = irs2(exposure, "NRS1")
    rows = np.arange(RAW, dtype=np.float32)[:, None]
    data = np.broadcast_to(rows, (1, 2, RAW, NORMAL))
    raw = Ramp(
        exposure=exposure,
        data=data,
        groupdq=np.zeros(data.shape, np.uint8),
        pixeldq=np.zeros(data.shape[2:], np.uint32),
    )
    small = {name: normal_pixels(getattr(raw, name), exposure) for name in ("data", "groupdq", "pixeldq")}
    return _Session(exposure, {"input": raw, "refpix": raw.with_(**small)})


@pytest.fixture
def panels(session) -> tuple[ImagePanel, RampPanel, Messages]:
    messages = Messages()
    ramp = RampPanel(session, (430, 250), messages.guarded)
    image = ImagePanel(session, (520, 520), ramp.show, messages.guarded, 0)
    ramp.refresh()
    ramp.show(*image.pixel, image.rows)
    return image, ramp, messages


def value(image: ImagePanel) -> float:
    x, y = image.pixel
    return float(image.view.plane.data[y, x])


def test_picked_pixel_is_the_same_in_both_frames(panels):
    image, ramp, messages = panels
    y = int(np.flatnonzero(normal_rows(image._session.exposure))[2000])
    for step, shown in (("input", y), ("refpix", 2000), ("input", y)):
        image.follow(step)
        if step == "input":
            assert "interleaved reference pixels" in image._title.value
        if step == "input" and image.pixel[1] != y:
            image.pick(1000, y)
        assert image.pixel == (1000, shown)
        assert value(image) == y, "the pixel holds the number of its row in the raw frame"
        assert image.view.window.contains(1000, shown)
        assert image.picker.y.value == shown
        assert (ramp.view._path.y == y).all(), f"the ramp after {ramp.step.value}"
    assert messages.shown == []


def test_reference_pixel_has_a_raw_ramp_only(panels):
    image, ramp, messages = panels
    image.follow("input")
    y = int(np.flatnonzero(~normal_rows(image._session.exposure))[700])
    image.pick(1000, y)
    ramp.step.value = "refpix"
    assert REFERENCE_PIXEL in ramp.view.legend.value
    ramp.step.value = "input"
    assert (ramp.view._path.y == y).all()
    image.follow("refpix")
    assert abs(value(image) - y) < 16, "the nearest normal pixel is picked"
    assert (ramp.view._path.y == value(image)).all(), "in the ramp, too"
    assert messages.shown == []
