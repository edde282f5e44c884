from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ReferenceError, Skip
from jwcal_interactive.steps.jump import JumpParams, jump
from jwcal_interactive.tiles import Tiles

J = int(DQ.JUMP_DET)
BAD_GAIN = DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE


def hit(size=1000.0, at=4, ngroups=8, nints=1, step=10.0):
    """A 5 x 5 image of steady ramps whose central pixel jumps before group `at` of the first integration."""
    data = np.tile(100 + step * np.arange(ngroups)[:, None, None], (nints, 1, 5, 5)).astype(float)
    data[0, at:, 2, 2] += size
    return data


@pytest.fixture
def refs_of(reference_of):
    def make(gain=2.0, readnoise=10.0):
        return {
            "gain": reference_of("gain", np.broadcast_to(gain, (5, 5))),
            "readnoise": reference_of("readnoise", np.broadcast_to(readnoise, (5, 5))),
        }

    return make


@pytest.fixture
def run(ramp_of, refs_of):
    def make(data, groupdq=0, tiles=None, gain=2.0, **params):
        return jump(
            ramp_of(data, groupdq=groupdq), refs_of(gain), JumpParams(**params), tiles or Tiles(threads=1)
        )

    return make


def flagged(out):
    """Places (integration, group, y, x) with JUMP_DET."""
    return {tuple(int(n) for n in place) for place in np.argwhere(out.groupdq & J)}


def cross(i, k):
    return {(i, k, 2, 2), (i, k, 1, 2), (i, k, 3, 2), (i, k, 2, 1), (i, k, 2, 3)}


def test_a_jump_and_its_neighbours(run):
    assert flagged(run(hit())) == cross(0, 4)


# 2 e-/DN and 10 DN noise: sigma is sqrt(20 + 400) = 20.5 e-, so 1 sigma is a step of 10.25 DN.
@pytest.mark.parametrize(
    ("size", "params", "pixels"),
    [
        (38.0, {}, 0),
        (44.0, {}, 1),
        (44.0, {"rejection_threshold": 5.0}, 0),
        (98.0, {}, 1),
        (108.0, {}, 5),
        (108.0, {"min_jump_to_flag_neighbors": 20.0}, 1),
        (108.0, {"flag_4_neighbors": False}, 1),
        (10_000.0, {}, 5),
        (11_000.0, {}, 1),
        (11_000.0, {"max_jump_to_flag_neighbors": 2000.0}, 5),
    ],
)
def test_thresholds(run, size, params, pixels):
    assert len(flagged(run(hit(size), **params))) == pixels


@pytest.mark.parametrize(("ngroups", "sigmas", "found"), [(3, 5.9, 0), (3, 6.3, 1), (4, 4.9, 0), (4, 5.2, 1)])
def test_short_ramps_have_their_own_thresholds(run, ngroups, sigmas, found):
    sigma = np.sqrt(2 * 10 + 400) / 2
    assert len(flagged(run(hit(sigmas * sigma, at=1, ngroups=ngroups)))) == found


@pytest.mark.parametrize(
    ("params", "later"),
    [
        ({"after_jump_flag_time1": 25.0}, {5, 6}),
        ({"after_jump_flag_time1": 25.0, "after_jump_flag_dn1": 2000.0}, set()),
        ({"after_jump_flag_time1": 9.0}, set()),
        (
            {"after_jump_flag_time1": 10.0, "after_jump_flag_time2": 35.0, "after_jump_flag_dn2": 900.0},
            {5, 6, 7},
        ),
    ],
)
def test_groups_after_a_jump(run, params, later):
    out = run(hit(), flag_4_neighbors=False, **params)
    assert flagged(out) == {(0, k, 2, 2) for k in {4} | later}


def test_unusable_groups_are_left_alone(run):
    flags = np.zeros((1, 8, 5, 5), np.uint8)
    flags[0, 4, 1, 2] = DQ.SATURATED
    flags[0, 4, 2, 3] = DQ.DO_NOT_USE | DQ.JUMP_DET
    flags[0, 3, 0, 0] = DQ.JUMP_DET
    out = run(hit(), flags)
    assert flagged(out) == cross(0, 4) - {(0, 4, 1, 2), (0, 4, 2, 3)} | {(0, 3, 0, 0)}
    assert out.groupdq[0, 4, 2, 3] == DQ.DO_NOT_USE
    assert out.groupdq[0, 4, 1, 2] == DQ.SATURATED


def test_many_integrations_are_compared_with_each_other(run):
    rng = np.random.default_rng(0)
    data = hit(nints=12, ngroups=4, at=2) + rng.normal(0, 1, (12, 4, 5, 5))
    data[:, 3] += 5000  # the same in all integrations: only the comparison along the ramp rejects it
    along = flagged(run(data, flag_4_neighbors=False, rejection_threshold=3.0))
    across = flagged(run(data, flag_4_neighbors=False, minimum_sigclip_groups=10, rejection_threshold=3.0))
    assert {(i, 3, 0, 0) for i in range(12)} <= along
    assert (0, 2, 2, 2) in across
    assert len(across) < 10


def test_pixels_without_gain(run):
    gain = np.full((5, 5), 2.0)
    gain[0, :3] = np.nan, 0.0, -1.0
    out = run(hit(), gain=gain)
    assert (out.pixeldq[0] == [BAD_GAIN, BAD_GAIN, BAD_GAIN, 0, 0]).all()
    assert not out.pixeldq[1:].any()


def test_rate_of_hits(run):
    out = run(hit())
    # One hit in 7 differences of 10 s of 25 pixels
    assert out.keywords["PRIMECRS"].value == pytest.approx(1000 / (7 * 10 * 25))
    assert out.keywords["EXTNCRS"].value == 0


def test_rate_without_usable_groups_is_not_given(ramp_of, refs_of):
    flags = np.ones((100, 3, 5, 5), np.uint8)
    out = jump(ramp_of(np.ones(flags.shape), groupdq=flags), refs_of(), JumpParams(), Tiles(threads=1))
    assert not out.keywords


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_bands(run, rows):
    assert flagged(run(hit(), tiles=Tiles(threads=2, band_rows=rows))) == cross(0, 4)


def test_inputs_do_not_change(ramp_of, refs_of, bytes_of):
    ramp, refs = ramp_of(hit()), refs_of(gain=np.full((5, 5), -1.0))
    before = bytes_of(ramp, *refs.values())
    out = jump(ramp, refs, JumpParams(after_jump_flag_time1=20), Tiles(threads=1))
    assert bytes_of(ramp, *refs.values()) == before
    assert np.shares_memory(out.data, ramp.data)


@pytest.mark.parametrize("ngroups", [1, 2])
def test_too_few_groups(run, ngroups):
    with pytest.raises(Skip, match=f"NGROUPS = {ngroups}"):
        run(hit(ngroups=ngroups, at=0))


@pytest.mark.parametrize(("lost", "params"), [(6, {}), (3, {"minimum_groups": 6})])
def test_too_few_usable_groups(run, lost, params):
    flags = np.zeros((1, 8, 5, 5), np.uint8)
    flags[0, :lost] = 1
    with pytest.raises(Skip, match=f"{8 - lost} of 8 groups"):
        run(hit(), flags, **params)


def test_no_reference(ramp_of, refs_of):
    with pytest.raises(Skip, match="gain"):
        jump(ramp_of(hit()), refs_of() | {"gain": None}, JumpParams(), Tiles(threads=1))


def test_reference_of_another_shape(ramp_of, refs_of, reference_of):
    small = reference_of("gain", np.ones((4, 5)))
    with pytest.raises(ReferenceError, match="gain"):
        jump(ramp_of(hit()), refs_of() | {"gain": small}, JumpParams(), Tiles(threads=1))


def test_stripes_are_refused(ramp_of, refs_of):
    with pytest.raises(InputError, match="SSTR_NST"):
        jump(ramp_of(hit(), keywords={"SSTR_NST": 4}), refs_of(), JumpParams(), Tiles(threads=1))


def test_all_official_parameters_are_known():
    from jwst.jump import JumpStep

    ours = {*JumpParams.model_fields, *JumpParams.without_effect}
    official = {line.split("=")[0].strip() for line in JumpStep.spec.strip().splitlines()}
    assert official <= ours
    for name in official & set(JumpParams.model_fields):
        assert getattr(JumpParams(), name) == getattr(JumpStep(), name)
