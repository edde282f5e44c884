"""One process of the benchmark: calls a pipeline again and again, or does no more than must be done.

    python -m tests.bench.call ours|official|floor|spent ARGUMENTS

Prints one line of JSON: the seconds of each call, and what the first one read and wrote; of spent, those of
each part of a call.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.spent import time_parts


def main() -> None:
    which, told = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(_PROGRAMS[which](told)))


def ours(told: dict[str, Any]) -> dict[str, Any]:
    """Call `calibrate`."""
    from jwcal_interactive import calibrate

    seconds = []
    for _ in range(told["calls"]):
        start = time.perf_counter()
        done = calibrate(told["raw"], "detector1", output_dir=told["folder"], params=told["steps"])
        seconds.append(time.perf_counter() - start)
    references = {r.path for o in done.outcomes for r in o.references if r.path}
    written = sum(path.stat().st_size for path in done.products)
    return {"seconds": seconds, "references": sorted(references), "written": written}


def official(told: dict[str, Any]) -> dict[str, Any]:
    """Call the official pipeline, with products saved."""
    from jwst.pipeline import Detector1Pipeline

    seconds = []
    for _ in range(told["calls"]):
        start = time.perf_counter()
        Detector1Pipeline.call(told["raw"], output_dir=told["folder"], save_results=True, steps=told["steps"])
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


def floor(told: dict[str, Any]) -> dict[str, Any]:
    """Load the libraries, read the files and write as many bytes as the products have: nothing is computed."""
    import astropy.io.fits
    import numba
    import numpy

    assert astropy.io.fits
    assert numba
    start = time.perf_counter()
    block = bytearray(4 << 20)
    for file in told["files"]:
        with Path(file).open("rb", buffering=0) as stream:
            while stream.readinto(block):
                pass
    with tempfile.TemporaryFile(dir=told["folder"]) as stream:
        for _ in range(-(-told["written"] // len(block))):
            os.write(stream.fileno(), block)
    assert numpy
    return {"seconds": [time.perf_counter() - start]}


_PROGRAMS = {"ours": ours, "official": official, "floor": floor, "spent": time_parts}

if __name__ == "__main__":
    main()
