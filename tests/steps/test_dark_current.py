from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, ReferenceError, Skip
from jwcal_interactive.steps.dark_current import DarkCurrentParams, dark_current
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def dark_of(reference_of):
    def make(groups, nframes=1, groupgap=0, dq=0, arrays=None, **keywords):
        data = np.asarray(groups, np.float32)[:, None, None] * np.ones((1, 2, 2))
        return reference_of("dark", data, dq, arrays, NFRAMES=nframes, GROUPGAP=groupgap, **keywords)

    return make


def run(ramp, ref, **params):
    return dark_current(ramp, {"dark": ref}, DarkCurrentParams(**params), Tiles())


def subtracted(ramp_of, dark, ngroups, nframes=1, groupgap=0):
    """The dark that is taken from each group of the science exposure."""
    ramp = ramp_of(np.zeros((2, ngroups, 2, 2)), nframes=nframes, groupgap=groupgap)
    out = run(ramp, dark)
    assert (out.data == out.data[0, :, :1, :1]).all()
    return (-out.data[0, :, 0, 0]).tolist()


class TestGroups:
    def test_of_the_same_read_pattern(self, ramp_of, dark_of):
        assert subtracted(ramp_of, dark_of([1, 2, 3, 4]), 3) == [1, 2, 3]
        assert subtracted(ramp_of, dark_of([1, 2, 3], 4, 2), 3, 4, 2) == [1, 2, 3]

    def test_averaged_from_frames(self, ramp_of, dark_of):
        assert subtracted(ramp_of, dark_of(range(1, 11)), 3, 2, 1) == [1.5, 4.5, 7.5]

    def test_dropped_frames_only(self, ramp_of, dark_of):
        assert subtracted(ramp_of, dark_of(range(1, 11)), 3, 1, 2) == [1, 4, 7]

    def test_averaged_from_averages(self, ramp_of, dark_of):
        # Dark groups of 2 frames; science groups of 4 with 2 dropped: dark groups 1 2 | 4 5.
        assert subtracted(ramp_of, dark_of(range(1, 7), nframes=2), 2, 4, 2) == [1.5, 4.5]

    def test_continued_with_the_last_difference(self, ramp_of, dark_of):
        assert subtracted(ramp_of, dark_of([0, 5, 7]), 5) == [0, 5, 7, 9, 11]
        assert subtracted(ramp_of, dark_of([0, 5, 7]), 3, 2, 1) == [2.5, 10, 16]

    def test_nan_is_no_dark(self, ramp_of, dark_of):
        assert subtracted(ramp_of, dark_of([1, np.nan, 3]), 3) == [1, 0, 3]
        assert subtracted(ramp_of, dark_of([2, np.nan]), 1, 2) == [1]


def test_flags_and_purity(ramp_of, dark_of, bytes_of):
    ramp = ramp_of(np.ones((1, 2, 2, 2)), pixeldq=DQ.HOT, zeroframe=np.ones((1, 2, 2)))
    ref = dark_of([1, 2], dq=DQ.UNRELIABLE_DARK)
    before = bytes_of(ramp, ref)
    out = run(ramp, ref)
    assert (out.pixeldq == DQ.HOT | DQ.UNRELIABLE_DARK).all()
    assert np.shares_memory(out.zeroframe, ramp.zeroframe)
    assert bytes_of(ramp, ref) == before


class TestAverageDarkCurrent:
    @pytest.fixture
    def average(self, ramp_of, dark_of):
        def take(array=None, keyword=None, **params):
            keywords = {} if keyword is None else {"AVDRKCUR": keyword}
            arrays = None if array is None else {"AVDRKCUR": np.full((2, 2), array)}
            out = run(ramp_of(np.ones((1, 1, 2, 2))), dark_of([1], arrays=arrays, **keywords), **params)
            return None if out.average_dark_current is None else out.average_dark_current[0, 0].item()

        return take

    def test_parameter_before_array_before_keyword(self, average):
        assert average(array=0.5, keyword=0.25, average_dark_current=2) == 2
        assert average(array=0.5, keyword=0.25) == 0.5
        assert average(array=0.0, keyword=0.25) == 0.25

    def test_none(self, average):
        assert average() is None
        assert average(array=0.5, average_dark_current=0) is None

    def test_it_cannot_be_negative(self):
        with pytest.raises(ParameterError, match=r"must be float >= 0 or none \(unit: electron/s\)"):
            DarkCurrentParams.build("dark_current", {"average_dark_current": -1})


@pytest.mark.parametrize(
    ("dark", "science", "why"),
    [
        ((1, 2, 0), (1, 0), "coarser"), ((1, 1, 1), (1, 0), "coarser"),
        ((1, 2, 0), (3, 0), "cannot be averaged"), ((1, 2, 0), (4, 1), "cannot be averaged"),
        ((1, 2, 1), (4, 2), "cannot be averaged"),
    ],
)  # fmt: skip
def test_read_patterns_that_do_not_fit_are_skipped(dark, science, why, ramp_of, dark_of):
    _, nframes, groupgap = dark
    ramp = ramp_of(np.zeros((1, 2, 2, 2)), nframes=science[0], groupgap=science[1])
    with pytest.raises(Skip, match=why):
        run(ramp, dark_of(range(30), nframes, groupgap))


@pytest.mark.parametrize("wrong", [{"nframes": None}, {"groupgap": -1}, {"nframes": "4"}, {"nframes": 1.5}])
def test_dark_without_read_pattern(wrong, ramp_of, dark_of):
    with pytest.raises(ReferenceError, match="NFRAMES, GROUPGAP"):
        run(ramp_of(np.zeros((1, 2, 2, 2))), dark_of([1, 2], **wrong))


def test_read_pattern_that_other_software_wrote_as_floats(ramp_of, dark_of):
    ramp = ramp_of(np.full((1, 2, 2, 2), 10.0))
    expected = run(ramp, dark_of([1, 2], 1, 0))
    np.testing.assert_array_equal(run(ramp, dark_of([1, 2], 1.0, 0.0)).data, expected.data)


def test_one_group_cannot_be_continued(ramp_of, dark_of):
    with pytest.raises(ReferenceError, match="has one group"):
        run(ramp_of(np.zeros((1, 2, 2, 2))), dark_of([1]))


class TestMiri:
    @pytest.fixture
    def dark(self, reference_of):
        """Integration i, group g of the dark is 10 i + g + 1, DN."""
        values = 10 * np.arange(3)[:, None] + np.arange(4) + 1.0
        return reference_of("dark", values[:, :, None, None] * np.ones((2, 2)), NFRAMES=1, GROUPGAP=0)

    def subtracted(self, ramp, dark):
        return (-run(ramp, dark).data[..., 0, 0]).tolist()

    def test_each_integration_has_its_own(self, ramp_of, dark):
        assert self.subtracted(ramp_of(np.zeros((4, 1, 2, 2))), dark) == [[1], [11], [21], [21]]

    def test_place_of_a_segment_counts(self, ramp_of, dark):
        ramp = ramp_of(np.zeros((2, 1, 2, 2)), keywords={"INTSTART": 2})
        assert self.subtracted(ramp, dark) == [[11], [21]]

    def test_averaged_and_continued(self, ramp_of, dark):
        ramp = ramp_of(np.zeros((2, 3, 2, 2)), nframes=2)
        assert self.subtracted(ramp, dark) == [[1.5, 3.5, 5.5], [11.5, 13.5, 15.5]]

    @pytest.mark.parametrize("shape", [(2, 2), (1, 2, 2, 2, 2), (2, 0, 2, 2)])
    def test_other_axes(self, shape, ramp_of, reference_of):
        ref = reference_of("dark", np.zeros(shape), NFRAMES=1, GROUPGAP=0)
        with pytest.raises(ReferenceError, match="must have the axes"):
            run(ramp_of(np.zeros((1, 2, 2, 2))), ref)


class TestDarkOutput:
    @pytest.mark.parametrize("name", ["mine", "mine.fits", "folder/mine.fits"])
    def test_name(self, name, ramp_of, dark_of):
        out = run(ramp_of(np.zeros((2, 2, 2, 2))), dark_of([1, np.nan, 3], dq=DQ.WARM), dark_output=name)
        (product,) = out.side_products
        assert product.file == "mine.fits"
        assert product.arrays["SCI"][:, 0, 0].tolist() == [1, 0]
        assert (product.arrays["DQ"] == DQ.WARM).all()
        assert product.units == {"SCI": "DN"}

    def test_not_asked_for(self, ramp_of, dark_of):
        assert run(ramp_of(np.zeros((1, 2, 2, 2))), dark_of([1, 2])).side_products == ()


def test_the_dark_is_never_cut_out():
    assert dark_current.uncut == {"dark"}
