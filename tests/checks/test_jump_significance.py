"""Deviations of many pixels at once are those that the plot of a single pixel shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from step_inputs import CASES, make

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.jump_significance import jump_significance
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_limits import jump_limits


@pytest.mark.parametrize(
    ("shape", "params"),
    [
        ((1, 5), {}),
        ((2, 6), {"rejection_threshold": 6.0}),
        ((1, 14), {}),
        ((1, 14), {"min_diffs_single_pass": 100}),
        ((8, 6), {"minimum_sigclip_groups": 5, "rejection_threshold": 2.0}),
        ((8, 6), {"minimum_sigclip_groups": 5, "only_use_ints": False}),
    ],
)
def test_equals_the_limits_of_each_pixel(shape, params):
    case = next(case for case in CASES if case.step == "jump")
    problem = make(case, seed=3, frame=(9, 11))
    rng = np.random.default_rng(9)
    exposure = problem.state.exposure
    rate = 10.0 ** rng.uniform(0, 3, (9, 11))
    hits = rng.exponential(900, (*shape, 9, 11)) * (rng.random((*shape, 9, 11)) < 0.1)
    data = 500 + np.cumsum(rng.poisson(rate, hits.shape) + hits, axis=1) + rng.normal(0, 8, hits.shape)
    groupdq = np.where(rng.random(hits.shape) < 0.08, np.uint8(DQ.DO_NOT_USE), np.uint8(0))
    groupdq[:, 3:, :2] = DQ.SATURATED
    groupdq[:, 2:, 0] = DQ.SATURATED
    ramp = Ramp(
        exposure=replace(exposure, nints=shape[0], ngroups=shape[1]),
        data=data.astype(np.float32),
        groupdq=groupdq,
        pixeldq=np.zeros((9, 11), np.uint32),
    )
    p = type(problem.params).build("jump", {"skip": False, **params})
    rows = slice(0, 9, 2)
    found = jump_significance(ramp, problem.references, p, rows)
    sigmas, hits = [], []
    for y in range(9)[rows]:
        for x in range(11):
            if not problem.references["gain"].data[y, x] > 0:
                continue
            limits = jump_limits(ramp, problem.references, p, y, x)
            with np.errstate(divide="ignore", invalid="ignore"):
                sigma = np.abs(np.abs(limits.difference) - limits.centre) / limits.sigma
                if not limits.absolute:
                    sigma = np.abs(limits.difference - limits.centre) / limits.sigma
            known = np.isfinite(sigma)
            sigmas.append(sigma[known])
            hits.append(limits.found[known])
    sigmas, hits = np.concatenate(sigmas), np.concatenate(hits)
    assert sigmas.size == found.sigmas.size > 100
    np.testing.assert_allclose(np.sort(found.sigmas), np.sort(sigmas), rtol=1e-6)
    assert found.found.sum() == hits.sum() > 0
    np.testing.assert_allclose(np.sort(found.sigmas[found.found]), np.sort(sigmas[hits]), rtol=1e-6)
