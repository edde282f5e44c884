"""Calibrated slopes and detected jumps against what the simulator put in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from jwcal_interactive import DQ, Ramp, Rates, Session, open_session
from jwcal_interactive.simulate import CosmicRayHits, read_truth

pytestmark = pytest.mark.truth

EXPOSURES = ("full-rapid", "full-bright2", "sub640-rapid-3", "sub640-bright2-3")
# The official weights and ERR, which this software keeps, come from the measured rate: a slope that is low
# by chance has a small ERR, and near a limit between two weights another one. So the mean of pulls is below
# 0 under a faint sky although the slopes are right; under a bright sky this vanishes. The mean is tested
# under the bright sky, the median under both.
BRIGHT = tuple(f"bright-{name}" for name in EXPOSURES)
SNR_EDGES = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, 100.0, np.inf)  # hits, in sigma of one difference


@dataclass(frozen=True)
class Calibrated:
    name: str
    session: Session
    ramp: Ramp  # after jump
    rates: Rates
    slope: np.ndarray  # truth, DN/s
    hits: CosmicRayHits


@pytest.fixture(scope="module", params=(*EXPOSURES, *BRIGHT))
def calibrated(request: pytest.FixtureRequest, simulated: Callable[[str], tuple[Path, Path]]) -> Calibrated:
    raw, truth = simulated(request.param)
    session = open_session(raw, context="demo")
    session.run()
    ramp, rates = session.result("jump"), session.result("gain_scale")
    assert isinstance(ramp, Ramp)
    assert isinstance(rates, Rates)
    return Calibrated(request.param, session, ramp, rates, *read_truth(truth))


def test_pulls(calibrated: Calibrated, capsys: pytest.CaptureFixture[str]) -> None:
    """Slopes of unflagged pixels scatter around the truth as their errors say."""
    rate = calibrated.rates.rate
    good = rate.dq == 0
    assert good.mean() > 0.5
    pulls = (rate.data[good] - calibrated.slope[good]) / rate.err[good]
    low, high = np.percentile(pulls, [15.8655, 84.1345])
    width = (high - low) / 2
    mean = pulls[np.abs(pulls) < 5].mean()  # beyond: hits below the threshold, counted in the table of jumps
    beyond = np.mean(np.abs(pulls) >= 5)
    with capsys.disabled():
        print(
            f"\n{calibrated.name:<18} pulls of {good.sum()} unflagged pixels: mean {mean:+.4f}, "
            f"median {np.median(pulls):+.4f}, width {width:.4f}, beyond 5 sigma {beyond:.2e}"
        )
    assert abs(np.median(pulls)) < 0.02
    assert abs(width - 1) < 0.05
    if calibrated.name in BRIGHT:
        assert abs(mean) < 0.02
    assert beyond < 1e-3


def test_jumps(calibrated: Calibrated, capsys: pytest.CaptureFixture[str]) -> None:
    """Hits well above the threshold are found; differences without a hit are rarely flagged."""
    sigma = _difference_sigma(calibrated)
    usable = _usable(calibrated.ramp)
    found = (calibrated.ramp.groupdq & DQ.JUMP_DET) != 0
    signal = _hit_signal(calibrated)
    snr = signal / sigma
    rows = []
    for low, high in pairwise(SNR_EDGES):
        chosen = usable & (snr >= low) & (snr < high)
        n = int(chosen.sum())
        rows.append((low, high, n, int((chosen & found).sum())))
    quiet = usable & ~_grown(signal > 0)
    false = int((quiet & found).sum())
    with capsys.disabled():
        print(f"\n{calibrated.name}: hits by size, in sigma of one difference between groups")
        print("  from     to   hits  found  completeness")
        for low, high, n, k in rows:
            print(f"{low:6.0f} {high:6.0f} {n:6d} {k:6d}  {k / n if n else float('nan'):.4f}")
        print(f"false alarms: {false} of {quiet.sum()} differences without a hit ({false / quiet.sum():.2e})")
    strong = [(n, k) for low, _, n, k in rows if low >= 10]
    total, complete = map(sum, zip(*strong, strict=True))
    assert complete / total > 0.98
    assert false / quiet.sum() < 5e-4


def _difference_sigma(c: Calibrated) -> np.ndarray:
    """Noise of one difference between groups, DN: photons and CDS read noise (readnoise reference)."""
    step = c.session.definition("jump")
    assert step is not None
    references = c.session.load_references("jump")
    gain, readnoise = references["gain"].data, references["readnoise"].data
    exposure = c.session.exposure
    with np.errstate(invalid="ignore", divide="ignore"):  # pixels without a gain are not used below
        photons = np.maximum(c.slope, 0) * exposure.group_time / gain
        return np.sqrt(photons + readnoise**2 / exposure.nframes)[None, None]


def _usable(ramp: Ramp) -> np.ndarray:
    """Differences between two groups that are both neither saturated nor bad, as jump sees them."""
    bad = (ramp.groupdq & (DQ.SATURATED | DQ.DO_NOT_USE)) != 0
    bad |= (ramp.pixeldq & (DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL)) != 0
    usable = np.zeros_like(bad)
    usable[:, 1:] = ~(bad[:, 1:] | bad[:, :-1])
    return usable


def _hit_signal(c: Calibrated) -> np.ndarray:
    """Change that hits make in each difference, DN; those in averaged groups by the frames that hold them."""
    nframes = c.session.exposure.nframes
    signal = np.zeros(c.ramp.data.shape, np.float32)
    held = (nframes - c.hits.frame) / nframes
    for group, part in ((c.hits.group, held), (c.hits.group + 1, 1 - held)):
        inside = (group >= 1) & (group < signal.shape[1])
        place = tuple(i[inside] for i in (c.hits.integration, group, c.hits.y, c.hits.x))
        np.add.at(signal, place, (c.hits.amplitude * part)[inside])
    return signal


def _grown(hit: np.ndarray) -> np.ndarray:
    """Hits with the groups after them and two pixels around: neighbours are flagged on purpose."""
    grown = np.logical_or.accumulate(hit, axis=1)
    for axis in (2, 3):
        for _ in range(2):
            before, after = np.roll(grown, 1, axis), np.roll(grown, -1, axis)
            grown = grown | before | after
    return grown
