"""A process that is killed while it writes leaves the old product or none."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")

# For each path that it is told, starts a process that writes a product row by row for half a second; tells its
# number when that has begun; then the signal that ended it.
WRITERS = """
import os, sys, time
from pathlib import Path
import numpy as np
from jwcal_interactive.arrays import Card
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.product_files import ProductFile

def write(path):
    with Together() as files:
        file = ProductFile(path, files, [Card("NEW", True, "")])
        file.add_array("SCI", (400, 500), "f4")
        file.reserve()
        print(os.getpid(), flush=True)
        for y in range(0, 400):
            file.put("SCI", np.full((1, 500), y, np.float32), y)
            time.sleep(0.001)
        file.close([Card("NEW", True, "")])

for line in sys.stdin:
    if os.fork() == 0:
        write(Path(line.strip()))
        os._exit(0)
    _, status = os.wait()
    print(os.WTERMSIG(status), flush=True)
"""


@pytest.fixture(scope="module")
def writers() -> Iterator[subprocess.Popen[str]]:
    """A process that starts writers: libraries are loaded once."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.4, 0.8])
def test_old_product_or_none(old: bool, after: float, writers: subprocess.Popen[str], tmp_path: Path) -> None:
    product = tmp_path / "x_rate.fits"
    if old:
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(3), name="OLD")]).writeto(product)
    before = product.read_bytes() if old else None
    assert writers.stdin is not None
    assert writers.stdout is not None
    print(product, file=writers.stdin, flush=True)
    writer = int(writers.stdout.readline())
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.kill(writer, signal.SIGKILL)
    finished = int(writers.stdout.readline()) != signal.SIGKILL
    if finished or (product.exists() and product.read_bytes() != before):
        with fits.open(product) as hdus:  # it was whole before the end
            np.testing.assert_array_equal(hdus["SCI"].data[:, 0], np.arange(400))
    elif old:
        assert product.read_bytes() == before
    else:
        assert not product.exists()
