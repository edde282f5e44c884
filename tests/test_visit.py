"""A visit from Python; the command line has its own tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_exposure
from astropy.io import fits

from jwcal_interactive.errors import InputError
from jwcal_interactive.visit import calibrate_visit, exposures_of_visit, looking_back


@pytest.fixture
def visit(tiny_raw: Path) -> Path:
    """Folder of two exposures, the second name taken first."""
    first = tiny_raw.with_name(tiny_raw.name.replace("_00001_", "_00002_"))
    first.write_bytes(tiny_raw.read_bytes())
    tiny_exposure.edit(tiny_raw, {"EXPSTART": tiny_exposure.METADATA["exposure.start_time"] + 60 / 86_400})
    return tiny_raw.parent


def test_order(visit: Path) -> None:
    assert [path.name.split("_")[2] for path in exposures_of_visit(visit)] == ["00002", "00001"]
    with pytest.raises(InputError, match="no file or folder"):
        exposures_of_visit(visit / "elsewhere")


def test_looking_back() -> None:
    given = {"visit_persistence": {"skip": False}, "jump": {"skip": True}}
    assert looking_back(given, "folder") == {
        "visit_persistence": {"skip": False, "earlier": "folder"},
        "jump": {"skip": True},
    }
    assert given == {"visit_persistence": {"skip": False}, "jump": {"skip": True}}
    assert looking_back({"visit_persistence": {"earlier": "mine"}}, "x") == {
        "visit_persistence": {"earlier": "mine"}
    }
    assert looking_back({}, "folder") == {}


@pytest.mark.usefixtures("tiny_context")
def test_calibrate(visit: Path, tmp_path: Path) -> None:
    seen: list[Path] = []
    params = {"visit_persistence": {"skip": False}, "ramp_fit": {"skip": True}, "jump": {"skip": True}}
    done = calibrate_visit(
        visit, "detector1", params=params, output_dir=tmp_path / "out", on_exposure=seen.append
    )
    assert seen == list(exposures_of_visit(visit))
    headers = [fits.getheader(one.products[-1]) for one in done]
    assert [header["S_VISPER"] for header in headers] == ["SKIPPED", "COMPLETE"]
    assert headers[1]["VPNEXP"] == 1
    (found,) = (outcome.found for outcome in done[1].outcomes if outcome.step == "visit_persistence")
    assert found["VPNPIX"].value == headers[1]["VPNPIX"]
