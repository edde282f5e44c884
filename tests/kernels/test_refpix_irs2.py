from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.refpix_irs2 import (
    Folding,
    fill_gaps,
    fold,
    from_sequence,
    low_and_high_pass,
    mean_of_groups,
    real_filter,
    subtract_lines,
    to_sequences,
    trend,
    unfold,
)

# Two outputs of five reads in lines of seven samples; eight lines.
TIMES = np.array([0, 1, 3, 4, 5])
ROWS = np.array([[4, 3, 2, 1, 0], [5, 6, 7, 8, 9]])
FOLDING = Folding.of(8, 7)
NORMAL = np.array([[False] * 5, [True, True, False, False, True]])


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    return rng.normal(0, 10, (3, 10, 8)).astype(np.float32)


def folded(sequence, sources=None, folding=FOLDING):
    out = np.full((folding.rows, folding.columns), np.nan, np.float32)
    sources = np.arange(sequence.shape[1]) if sources is None else np.array(sources)
    fold(np.asarray(sequence, np.float32), sources, folding.places, folding.step, out)
    return out


def same_rows(n=10):
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


@pytest.mark.parametrize("band", [1, 4, 10])
def test_mean_of_groups(band, frame):
    sources = same_rows()
    sources[3], sources[5] = (1, 8), -1
    out = np.empty((10, 8))
    for y in range(0, 10, band):
        mean_of_groups(frame, sources, out, y, min(y + band, 10))
    replaced = frame.copy()
    replaced[:, 3] = (frame[:, 1] + frame[:, 8]) / 2
    replaced[:, 5] = 0
    np.testing.assert_array_equal(out, replaced.sum(axis=0, dtype=np.float64) / 3)


@pytest.mark.parametrize("backwards", [False, True])
def test_there_and_back(backwards, frame):
    plane = frame[0]
    mean = frame.mean(axis=0, dtype=np.float64)
    sequences = np.empty((2, 8, 7), np.float32)
    to_sequences(plane, mean, same_rows(), ROWS, TIMES, NORMAL, backwards, sequences)
    assert not sequences[:, :, [2, 6]].any()
    lines = plane[:, ::-1] if backwards else plane
    means = mean[:, ::-1] if backwards else mean
    np.testing.assert_array_equal(sequences[0, :, 3], (lines[2] - means[2]).astype(np.float32))
    out = np.full((10, 8), np.nan, np.float32)
    for sequence, rows in zip(sequences, ROWS, strict=True):
        from_sequence(
            sequence, folded(np.zeros((8, 7))), FOLDING.places, FOLDING.step, mean, np.ones(5), rows, rows,
            TIMES, backwards, out,
        )  # fmt: skip
    np.testing.assert_allclose(out, plane, atol=1e-6, rtol=1e-6)


def test_correction_of_chosen_rows(frame):
    sequence, correction = (np.arange(56, dtype=np.float32).reshape(8, 7) * k for k in (1, 3))
    out = np.full((3, 8), 5, np.float32)
    keep_mean, out_rows = np.array([1.0, 0, 1, 1, 1]), np.array([0, 1, -1, -1, -1])
    mean = np.full((10, 8), 100.0)
    from_sequence(
        sequence, folded(correction), FOLDING.places, FOLDING.step, mean, keep_mean, ROWS[1], out_rows, TIMES,
        False, out,
    )  # fmt: skip
    np.testing.assert_array_equal(out[0], 100 - 2 * sequence[:, 0])
    np.testing.assert_array_equal(out[1], -2 * sequence[:, 1])
    np.testing.assert_array_equal(out[2], 5)


def test_bad_and_missing_reads(frame):
    sources = same_rows()
    sources[1], sources[8] = (2, 4), -1
    plane = frame[0].copy()
    plane[7, 0] = plane[9, 1] = np.nan
    sequences = np.empty((2, 8, 7), np.float32)
    to_sequences(plane, np.zeros((10, 8)), sources, ROWS, TIMES, NORMAL, False, sequences)
    np.testing.assert_array_equal(sequences[0, :, 4], (plane[2] + plane[4]) / 2)
    assert not sequences[1, :, 4].any()
    assert sequences[1, 0, 3] == 0  # a reference pixel that is not finite is a gap
    assert np.isnan(sequences[1, 1, 5])  # a normal pixel stays what it is


class TestTrend:
    times = np.arange(-20, 20, dtype=np.float32).reshape(4, 10)

    def test_of_a_line_with_gaps(self):
        edges = 3 + 0.5 * self.times
        edges[1, ::3] = 0
        edges[2, 2] = np.nan
        np.testing.assert_allclose(trend(edges, self.times), (3, 0.5), rtol=1e-5)

    @pytest.mark.parametrize("values", [0, 1])
    def test_of_too_few_values(self, values):
        edges = np.zeros((4, 10), np.float32)
        edges[0, :values] = 7
        assert trend(edges, self.times) == (7 * values, 0)


def test_lines_leave_gaps_alone():
    sequences = np.random.default_rng(2).normal(0, 5, (2, 4, 6)).astype(np.float32)
    sequences[:, :, 3] = 0
    trends = np.array([[1, 0.25], [-2, 0.5]], np.float32)
    time = np.arange(24).reshape(4, 6) - 11.5
    lines = (trends[:, 0, None, None] + time * trends[:, 1, None, None]).astype(np.float32)
    twin = np.where(sequences != 0, sequences - lines, 0)
    subtract_lines(trends, 11.5, sequences)
    np.testing.assert_allclose(sequences, twin, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(12, 60), empty=st.sampled_from([0.1, 0.5, 1.0]), seed=st.integers(0, 99))
def test_fill_gaps(n, empty, seed):
    rng = np.random.default_rng(seed)
    sequence = rng.normal(0, 5, n).astype(np.float32)
    sequence[rng.random(n) < empty] = 0
    weights = rng.uniform(0.1, 1, 7).astype(np.float32)
    out = np.empty(n, np.float32)
    fill_gaps(sequence, weights, out)
    for i in range(n):
        near = sequence[(i + 3 - np.arange(7)) % n]
        total = weights[near != 0].sum()
        twin = sequence[i] if sequence[i] else (weights @ near / total if total else 0)
        assert out[i] == pytest.approx(twin, rel=1e-5, abs=1e-6)


def test_references_are_repeated():
    sequence = np.arange(1, 57, dtype=np.float32).reshape(8, 7)
    sources = [-1, 2, 2, 3, -1, 3, 0]
    out = np.empty_like(sequence)
    unfold(folded(sequence, sources), FOLDING.places, FOLDING.step, out)
    expected = sequence[:, sources]
    expected[:, [0, 4]] = 0
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("nlines", "ntimes"), [(8, 7), (16, 12), (4, 89 * 8), (8, 1)])
def test_transform_of_the_table_is_that_of_the_sequence(nlines, ntimes):
    sequence = np.random.default_rng(4).normal(0, 1, (nlines, ntimes))
    folding = Folding.of(nlines, ntimes)
    table = folded(sequence, folding=folding)
    whole = np.fft.fft(sequence.ravel())
    np.testing.assert_allclose(np.fft.rfft2(table), whole[folding.frequencies], atol=1e-4)


def test_filter_of_the_gaps_passes_both_ends():
    factors = low_and_high_pass(100, 10, 5)
    assert factors.shape == (100,)
    np.testing.assert_array_equal(factors[:11], 1)  # the fall begins at 1
    np.testing.assert_array_equal(factors[39:51], 1)
    assert not factors[15:35].any()
    assert (np.diff(factors[10:16]) < 0).all()
    np.testing.assert_array_equal(factors[1:], factors[:0:-1])


def test_real_part_of_a_filter():
    rng = np.random.default_rng(3)
    factors = (rng.normal(size=(40, 2)) @ [1, 1j]).astype(np.complex64)
    values = rng.normal(size=40)
    whole = np.fft.ifft(np.fft.fft(values) * factors).real
    made = np.fft.ifft(np.fft.fft(values) * real_filter(factors))
    np.testing.assert_allclose(made, whole, atol=1e-6)
