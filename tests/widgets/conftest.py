"""Synthetic states, small enough for fast tests and different in every axis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jwcal_interactive import Session, open_session
from jwcal_interactive.arrays import Exposure, GuiderSlopes, Ramp, Rates, Slopes
from jwcal_interactive.dq import DQ
from jwcal_widgets import Workbench

NINTS, NGROUPS, NY, NX = 2, 6, 40, 56


@pytest.fixture
def exposure() -> Exposure:
    return Exposure(
        filename="jw00001001001_01101_00001_nrcalong_uncal.fits",
        instrument="NIRCAM",
        detector="NRCALONG",
        exp_type="NRC_IMAGE",
        readpatt="BRIGHT2",
        subarray="SUB",
        xstart=1,
        ystart=1,
        xsize=NX,
        ysize=NY,
        fastaxis=-1,
        slowaxis=2,
        nints=NINTS,
        ngroups=NGROUPS,
        nframes=2,
        groupgap=0,
        group_time=20.0,
        frame_time=10.0,
        frame_divisor=2,
        noutputs=4,
        zero_frame=False,
        gain_factor=None,
    )


@pytest.fixture
def rates(exposure: Exposure) -> Rates:
    rng = np.random.default_rng(5)
    slope = (2.0 + rng.random((NY, NX))).astype(np.float32)
    err = np.full((NY, NX), 0.1, np.float32)
    dq = np.zeros((NY, NX), np.uint32)
    dq[7, 9] = DQ.DO_NOT_USE | DQ.DEAD
    slope[7, 9] = np.nan
    rate = Slopes(data=slope, err=err, dq=dq, var_poisson=err**2 / 3, var_rnoise=err**2 / 5)
    stack = {
        name: np.stack([getattr(rate, name)] * NINTS)
        for name in ("data", "err", "dq", "var_poisson", "var_rnoise")
    }
    stack["data"] = stack["data"] + np.arange(NINTS, dtype=np.float32)[:, None, None]
    return Rates(exposure=exposure, rate=rate, rateints=Slopes(**stack))


@pytest.fixture
def ramp(exposure: Exposure, rates: Rates) -> Ramp:
    """Follow `rates`, with a jump of 500 DN at (x=20, y=10) and saturation at (x=3, y=4)."""
    time = 15.0 + 20.0 * np.arange(NGROUPS)
    slopes = np.nan_to_num(rates.rateints.data, nan=2.0)
    data = (100.0 + slopes[:, None] * time[None, :, None, None]).astype(np.float32)
    groupdq = np.zeros((NINTS, NGROUPS, NY, NX), np.uint8)
    data[0, 3:, 10, 20] += 500
    groupdq[0, 3, 10, 20] = DQ.JUMP_DET
    groupdq[:, 4:, 4, 3] = DQ.SATURATED
    groupdq[:, 0] |= np.uint8(DQ.DO_NOT_USE)
    pixeldq = np.zeros((NY, NX), np.uint32)
    pixeldq[:, :4] = DQ.REFERENCE_PIXEL
    return Ramp(exposure=exposure, data=data, groupdq=groupdq, pixeldq=pixeldq)


@pytest.fixture
def guider(exposure: Exposure) -> GuiderSlopes:
    data = np.arange(3 * 8 * 8, dtype=np.float32).reshape(3, 8, 8)
    return GuiderSlopes(exposure=exposure, data=data, err=data / 10, dq=np.zeros((8, 8), np.uint32))


@pytest.fixture
def bench(raw_sub640: Path) -> Iterator[Workbench]:
    """A workbench on a raw exposure that has not run; nothing may have gone wrong unseen."""
    workbench = Workbench(open_session(raw_sub640, context="demo"), delay=0)
    yield workbench
    assert workbench.messages.shown == []


@pytest.fixture(scope="session")
def ran_session(raw_sub640: Path) -> Session:
    """A session that has run; tests that share it leave its settings as they were."""
    session = open_session(raw_sub640, context="demo")
    session.run()
    return session


@pytest.fixture(scope="session")
def ran_bench(raw_sub640: Path) -> Workbench:
    """A workbench whose pipeline has run; tests that share it choose all that they look at."""
    workbench = Workbench(open_session(raw_sub640, context="demo"), delay=0)
    workbench.toolbar.buttons["run"].click()
    workbench.runner.wait()
    return workbench


@pytest.fixture
def ran(ran_bench: Workbench) -> Iterator[Workbench]:
    yield ran_bench
    assert ran_bench.messages.shown == []
