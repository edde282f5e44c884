"""Wall time and peak memory of `jwcal run detector1` beside the official `strun calwebb_detector1`.

    python tests/bench/detector1.py [--subarray FULL|SUB640] [--runs 3]

Both commands run in turn on the same raw file with the same references, each in a process of its own, after one
run of each that is not counted. Only ratios of medians are worth quoting: machines differ and are noisy.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jwcal_interactive.demo import demo_exposure
from jwcal_interactive.references.client import open_context


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall time in s and peak memory in GB of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subarray", default="FULL", choices=("FULL", "SUB640"))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    environment = dict(os.environ)
    for name, value in open_context("demo").environment.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as scratch:
        raw = str(demo_exposure(scratch, options.subarray))
        commands = {
            "jwcal": [str(scripts / "jwcal"), "run", "detector1", raw, "--context", "demo"],
            "strun": [str(scripts / "strun"), "calwebb_detector1", raw],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for run in range(options.runs + 1):
            for name, command in commands.items():
                folder = Path(scratch) / name
                flag = "--output-dir" if name == "jwcal" else "--output_dir"
                folder.mkdir()
                result = measure([*command, f"{flag}={folder}"], environment)
                shutil.rmtree(folder)
                if run:
                    found[name].append(result)
    medians = {n: [statistics.median(v) for v in zip(*r, strict=True)] for n, r in found.items()}
    print(f"{options.subarray}, {options.runs} runs of each in turn, medians")
    for name, (seconds, memory) in medians.items():
        walls = ", ".join(f"{s:.1f}" for s, _ in found[name])
        print(f"{name}: {seconds:6.2f} s ({walls})   peak {memory:5.2f} GB")
    ours, theirs = medians["jwcal"], medians["strun"]
    print(f"jwcal is {theirs[0] / ours[0]:.1f} times as fast with {ours[1] / theirs[1]:.2f} of the memory")


if __name__ == "__main__":
    main()
