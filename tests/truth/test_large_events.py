"""Snowballs of the simulator: how much of their area is flagged, and how many are listed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from jwcal_interactive import DQ, Ramp, Session, open_session
from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec, read_truth
from jwcal_interactive.simulate.exposure import ExtendedEvent
from jwcal_interactive.simulate.truth import read_events

pytestmark = pytest.mark.truth

SPEC = ExposureSpec(subarray="SUB640", ngroups=8, nints=2, observation="031", seed=31, snowball_rate=1.5e-6)
EDGES = (0.1, 1.0, 3.0, 10.0, np.inf)  # charge in a pixel of a halo, in sigma of one difference


@dataclass(frozen=True)
class Snowballs:
    session: Session
    events: tuple[ExtendedEvent, ...]
    sigmas: np.ndarray  # charge that snowballs left, in sigma of one difference
    core: np.ndarray  # pixels of cores, from their group on
    quiet: np.ndarray  # differences that no snowball is near


@pytest.fixture(scope="module")
def snowballs() -> Snowballs:
    raw, truth = kept_exposure(SPEC)
    session = open_session(raw, context="demo")
    slope, hits = read_truth(truth)
    shape = (SPEC.nints, SPEC.ngroups, *slope.shape)
    inside = [0 <= e.y < shape[2] and 0 <= e.x < shape[3] for e in read_events(truth)]
    events = tuple(
        e for e, kept in zip(read_events(truth), inside, strict=True) if kept and 1 <= e.group < SPEC.ngroups
    )
    charge = np.zeros(shape)
    np.add.at(charge, (hits.integration, hits.group, hits.y, hits.x), hits.amplitude)
    near, core = np.zeros(shape, bool), np.zeros(shape, bool)
    y, x = np.indices(slope.shape)
    for e in read_events(truth):
        distance = np.hypot(y - e.y, x - e.x)
        near[e.integration, e.group] |= distance <= e.semi_major + 14
        core[e.integration, e.group :] |= distance <= e.semi_major
    gain, readnoise = (session.load_references("jump")[name].data for name in ("gain", "readnoise"))
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.sqrt(np.maximum(slope, 0) * session.exposure.group_time / gain + readnoise**2)
        return Snowballs(session, events, np.where(near, charge / sigma, 0), core, ~near)


def jumps(ramp: Ramp) -> tuple[np.ndarray, np.ndarray]:
    """What is flagged as a jump or saturated, and differences of good pixels."""
    flagged = (ramp.groupdq & (DQ.JUMP_DET | DQ.SATURATED)) != 0
    good = ((ramp.groupdq & DQ.DO_NOT_USE) == 0) & ((ramp.pixeldq & DQ.DO_NOT_USE) == 0)
    good[:, 0] = False
    return flagged, good


def shares(s: Snowballs, ramp: Ramp) -> list[float]:
    """Share flagged of the pixels of halos, by charge."""
    flagged, good = jumps(ramp)
    found = []
    for low, high in pairwise(EDGES):
        halo = good & ~s.core & (s.sigmas >= low) & (s.sigmas < high)
        assert halo.sum() > 200
        found.append(float(flagged[halo].mean()))
    return found


def run(s: Snowballs, step: str, **settings: dict[str, object]) -> Ramp:
    for name in ("jump", "large_events"):
        s.session.reset(name)
    for name, values in settings.items():
        s.session.set(name, **values)
    s.session.run(last=step)
    ramp = s.session.result(step)
    assert isinstance(ramp, Ramp)
    return ramp


def test_area_that_is_flagged(snowballs: Snowballs, capsys: pytest.CaptureFixture[str]) -> None:
    plain = run(snowballs, "jump")
    expanded = run(snowballs, "jump", jump={"expand_large_events": True})
    own = run(snowballs, "large_events", large_events={"skip": False})
    rows = {
        "jump": shares(snowballs, plain),
        "jump, expand_large_events": shares(snowballs, expanded),
        "jump, then large_events": shares(snowballs, own),
    }
    with capsys.disabled():
        print(f"\nhalos of {len(snowballs.events)} snowballs: share of pixels flagged, by charge in sigma")
        print(f"{'':28}" + "".join(f"{low:>7g}-{high:<6g}" for low, high in pairwise(EDGES)))
        for name, values in rows.items():
            print(f"{name:28}" + "".join(f"{value:>11.3f}   " for value in values))
    for ramp in (plain, expanded, own):
        flagged, good = jumps(ramp)
        assert flagged[good & snowballs.core].mean() > 0.99
        assert flagged[good & snowballs.quiet].mean() < 0.03
    assert rows["jump"][0] < 0.01
    for name in ("jump, expand_large_events", "jump, then large_events"):
        assert min(rows[name][1:]) > 0.97
        assert rows[name][0] > 0.5
        assert all(with_it >= without for with_it, without in zip(rows[name], rows["jump"], strict=True))


def test_events_are_listed(snowballs: Snowballs) -> None:
    (product,) = run(snowballs, "large_events", large_events={"skip": False}).side_products
    table = product.tables["EVENTS"]
    listed = 0
    for e in snowballs.events:
        near = np.hypot(table["xcentroid"] - e.x, table["ycentroid"] - e.y) < 4
        near &= (table["integration_number"] == e.integration + 1) & (table["group_number"] == e.group + 1)
        near &= table["kind"] == b"snowball"
        listed += bool(near.any())
        for row in table[near]:
            assert e.semi_major < row["semimajor"] < e.semi_major + 14
    assert listed >= 0.9 * len(snowballs.events)
    assert len(table) <= 1.2 * len(snowballs.events) + 2
