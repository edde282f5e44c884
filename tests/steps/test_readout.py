from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.steps.readout import (
    DetectorFrame,
    frame_numbers,
    integrations_of_exposure,
    only_for_miri,
    refuse_unsupported,
)

ORIENTATIONS = [(f * s, (3 - f) * t) for f in (1, 2) for s in (1, -1) for t in (1, -1)]


@pytest.mark.parametrize(("fast", "slow"), ORIENTATIONS)
class TestDetectorFrame:
    def test_there_and_back(self, fast, slow):
        frame = DetectorFrame(fast, slow, 0, 0)
        array = np.arange(24).reshape(2, 3, 4)
        np.testing.assert_array_equal(frame.to_science(frame.from_science(array)), array)

    def test_columns_run_along_the_fast_axis(self, fast, slow):
        ramp_x, ramp_y = np.meshgrid(np.arange(4), np.arange(3))
        frame = DetectorFrame(fast, slow, 0, 0)
        along_fast = frame.from_science(ramp_x if abs(fast) == 1 else ramp_y)
        assert (np.diff(along_fast, axis=1) == np.sign(fast)).all()
        along_slow = frame.from_science(ramp_x if abs(slow) == 1 else ramp_y)
        assert (np.diff(along_slow, axis=0) == np.sign(slow)).all()

    def test_place_of_a_subarray_is_that_in_the_full_frame(self, fast, slow, ramp_of):
        exposure = ramp_of(
            np.zeros((1, 1, 30, 20)), xstart=101, ystart=1901, fastaxis=fast, slowaxis=slow
        ).exposure
        full = np.zeros((2048, 2048), bool)
        full[1900:1930, 100:120] = True
        frame = DetectorFrame.of(exposure)
        rows, columns = np.nonzero(frame.from_science(full))
        assert (frame.row0, frame.column0) == (rows.min(), columns.min())


@pytest.mark.parametrize(("fast", "slow"), [(1, 1), (0, 2), (3, 1), (1, -1)])
def test_impossible_orientation(fast, slow, ramp_of):
    ramp = ramp_of(np.zeros((1, 1, 4, 4)), fastaxis=fast, slowaxis=slow)
    with pytest.raises(InputError, match=f"FASTAXIS = {fast} and SLOWAXIS = {slow}"):
        DetectorFrame.of(ramp.exposure)


def test_frame_numbers_count_dropped_frames(ramp_of):
    exposure = ramp_of(np.zeros((1, 3, 4, 4)), nframes=2, groupgap=3).exposure
    np.testing.assert_array_equal(frame_numbers(exposure), [[1, 2], [6, 7], [11, 12]])


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"keywords": {"MSTR_RD1": 40}}, "MSTR_RD1 = 40"),
        ({"keywords": {"SSTR_NST": 10}}, "SSTR_NST = 10"),
    ],
)
def test_modes_that_are_refused(facts, named, ramp_of):
    with pytest.raises(InputError, match=f"uncal.fits: {named}.*step ipc"):
        refuse_unsupported(ramp_of(np.zeros((1, 1, 4, 4)), **facts), "ipc")


class TestInterleavedFrames:
    def frame(self, ramp_of, instrument="NIRSPEC", **facts):
        return ramp_of(np.zeros((1, 1, 3200, 1)), instrument=instrument, readpatt="NRSIRS2", **facts)

    def test_are_taken_by_steps_before_refpix(self, ramp_of):
        frame = self.frame(ramp_of, keywords={"NRS_NORM": 16, "NRS_REF": 4.0})
        refuse_unsupported(frame, "ipc", interleaved=True)

    def test_are_refused_by_steps_after_refpix(self, ramp_of):
        with pytest.raises(InputError, match=r"READPATT = NRSIRS2.*3200 rows.*step jump.*Run refpix"):
            refuse_unsupported(self.frame(ramp_of), "jump")

    def test_are_of_nirspec(self, ramp_of):
        with pytest.raises(InputError, match="INSTRUME = NIRCAM: a frame of 1 x 3200 pixels"):
            refuse_unsupported(self.frame(ramp_of, "NIRCAM"), "ipc", interleaved=True)

    @pytest.mark.parametrize("keyword", ["NRS_NORM", "NRS_REF"])
    def test_have_runs_of_16_and_4(self, keyword, ramp_of):
        with pytest.raises(InputError, match=f"{keyword} = 8"):
            refuse_unsupported(self.frame(ramp_of, keywords={keyword: 8}), "ipc", interleaved=True)


def test_ordinary_exposures_pass(ramp_of):
    refuse_unsupported(ramp_of(np.zeros((1, 1, 4, 4)), keywords={"SSTR_NST": 0}), "ipc")


@pytest.mark.parametrize(
    ("keywords", "first", "total"),
    [
        ({}, 0, 2),
        ({"INTSTART": 1, "NINTS": 2}, 0, 2),
        ({"INTSTART": 11, "INTEND": 12, "NINTS": 30}, 10, 30),
        ({"INTSTART": 0, "NINTS": 1}, 0, 2),
        ({"INTSTART": "x"}, 0, 2),
    ],
)
def test_place_of_a_segment(keywords, first, total, ramp_of):
    exposure = ramp_of(np.zeros((2, 1, 4, 4)), keywords=keywords).exposure
    assert (exposure.first_integration, integrations_of_exposure(exposure)) == (first, total)


def test_steps_for_miri(ramp_of):
    only_for_miri(ramp_of(np.zeros((1, 1, 4, 4)), instrument="MIRI").exposure)
    with pytest.raises(Skip, match="NIRCAM"):
        only_for_miri(ramp_of(np.zeros((1, 1, 4, 4))).exposure)
