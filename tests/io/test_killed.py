"""A process that is killed while it writes leaves the old product or none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")

# Writes a product row by row for some seconds, and says when it has begun.
WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from astropy.io import fits
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.product_files import ProductFile

path = Path(sys.argv[1])
with Together() as files:
    file = ProductFile(path, files, fits.Header([("NEW", True)]))
    file.add_array("SCI", (400, 500), "f4", fits.Header())
    print("begun", flush=True)
    for y in range(0, 400):
        file.put("SCI", np.full((1, 500), y, np.float32), y)
        time.sleep(0.001)
    file.close(fits.Header([("NEW", True)]))
print("done", flush=True)
"""


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.4, 0.8])
def test_old_product_or_none(old: bool, after: float, tmp_path: Path) -> None:
    product = tmp_path / "x_rate.fits"
    if old:
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(3), name="OLD")]).writeto(product)
    before = product.read_bytes() if old else None
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(product)], stdout=subprocess.PIPE, env=dict(os.environ), text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "begun\n"
    time.sleep(after)
    writer.kill()
    finished = "done" in writer.stdout.read()
    writer.wait()
    writer.stdout.close()
    if finished or (product.exists() and product.read_bytes() != before):
        with fits.open(product) as hdus:  # it was whole before the end
            np.testing.assert_array_equal(hdus["SCI"].data[:, 0], np.arange(400))
    elif old:
        assert product.read_bytes() == before
    else:
        assert not product.exists()
