"""charge_migration against the official function."""

from __future__ import annotations

import pytest

from jwcal_interactive.steps.charge_migration import ChargeMigrationParams, charge_migration
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("threshold", [20_000.0, 33_333.3, 60_000.0, 0.0])
@pytest.mark.parametrize("shape", [(24, 40), (1, 30), (12, 1)])
def test_charge_migration(threshold, shape, make_ramp, ramp_model, same_ramp):
    from jwst.charge_migration.charge_migration import charge_migration as official

    ramp = make_ramp(70, shape=shape, nints=2, ngroups=6)
    params = ChargeMigrationParams(skip=False, signal_threshold=threshold)
    ours = charge_migration(ramp, {}, params, Tiles(band_rows=5))
    same_ramp(ours, official(ramp_model(ramp), threshold))
    assert (ours.groupdq != ramp.groupdq).any()
