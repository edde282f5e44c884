"""Time and memory beside the official pipeline.

    python -m tests.bench --peer [--case NAME]... [--pairs 3] [--no-call] [--spent]

Both run in turn on the same raw file with the same references, each in a process of its own, after one run of
each that is not counted. Only ratios are worth quoting: machines differ and are noisy. The floor is a process
that loads numba and astropy, reads the raw file and the references, and writes as many bytes as the products
have, without computing anything.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwcal_interactive.references.client import demo_cache_root, open_context
from tests.bench.cases import CASES, Case, raw_file

_GB = 1e9


@dataclass
class Measured:
    """Runs of one program on one case: wall time, s; peak memory, bytes; time of a call, s."""

    wall: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    call: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer", action="store_true", help="measure the official pipeline, too")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--pairs", type=int, default=3, help="counted runs of each (3)")
    parser.add_argument("--no-call", action="store_true", help="whole processes only")
    parser.add_argument("--spent", action="store_true", help="tell what the time goes to")
    parser.add_argument("--scratch", type=Path, help="folder for products (a temporary one)")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {options.pairs} runs in turn")
    print("ratios: official over jwcal for times, jwcal over official for memory; median (minimum to maximum)")
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            measure_case(CASES[name], Path(folder), options)


def measure_case(case: Case, folder: Path, options: argparse.Namespace) -> None:
    """Measure one case and print its lines."""
    raw = raw_file(case)
    peer_raw = raw_file(case, case.official_ints) if case.official_ints else raw
    environment = crds_environment(raw)
    ours, theirs, floor = Measured(), Measured(), Measured()
    told = {"raw": str(raw), "folder": str(folder), "steps": case.steps, "calls": 1}
    facts, *_ = in_process("ours", told, offline(environment))  # warms, and tells what is read and written
    if options.peer:
        run(official_command(case, peer_raw, folder), environment, folder)
    for _ in range(options.pairs):
        note(ours, *run(our_command(case, raw, folder), offline(environment), folder))
        if options.peer:
            note(theirs, *run(official_command(case, peer_raw, folder), environment, folder))
        needs = {"files": [str(raw), *facts["references"]], "written": facts["written"], "folder": str(folder)}
        found, wall, memory = in_process("floor", needs, environment)
        note(floor, wall, memory)
        floor.call += found["seconds"]
    if case.call and not options.no_call:
        calls = {**told, "calls": options.pairs + 1}
        ours.call += in_process("ours", calls, offline(environment))[0]["seconds"][1:]
        if options.peer:
            theirs.call += in_process("official", calls, environment)[0]["seconds"][1:]
    print_case(case, raw, ours, theirs, floor, predicted_memory(case, raw, offline(environment)))
    if options.spent:
        parts, *_ = in_process("spent", told, offline(environment))
        print_spent(parts, statistics.median(ours.wall), statistics.median(ours.call or [0.0]))


def note(measured: Measured, wall: float, memory: float) -> None:
    measured.wall.append(wall)
    measured.memory.append(memory)


def crds_environment(raw: Path) -> dict[str, str]:
    """Environment in which both programs find the references of the demonstration context."""
    from jwcal_interactive.io.raw import read_exposure
    from jwcal_interactive.simulate import open_demo_cache

    exposure = read_exposure(raw)
    cache = open_demo_cache(demo_cache_root())
    # The official pipeline fetches the references of all steps beforehand.
    cache.make_for(exposure.detector, exposure.subarray, exposure.readpatt, optional=True)
    environment = dict(os.environ)
    for name, value in open_context("demo", None, exposure).environment.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def offline(environment: dict[str, str]) -> dict[str, str]:
    """Environment for jwcal, which asks the official server if no other is given."""
    return {**environment, "CRDS_SERVER_URL": "https://crds-serverless-mode.stsci.edu"}


def our_command(case: Case, raw: Path, folder: Path) -> list[str]:
    script = Path(sys.executable).parent / "jwcal"
    return [str(script), "run", "detector1", str(raw), f"--output-dir={folder}", "--quiet", *settings(case)]


def official_command(case: Case, raw: Path, folder: Path) -> list[str]:
    script = Path(sys.executable).parent / "strun"
    return [str(script), "calwebb_detector1", str(raw), f"--output_dir={folder}", *settings(case)]


def settings(case: Case) -> list[str]:
    return [f"--steps.{s}.{p}={v}" for s, values in case.steps.items() for p, v in values.items()]


# Starts a command and tells its wall time, peak memory and status. The system counts the memory of the process
# that starts another one as the other's, until it runs: this one is small.
_LAUNCHER = """
import os, sys, time
start = time.perf_counter()
pid = os.fork()
if not pid:
    os.dup2(2, 1) if sys.argv[1] == "quiet" else None
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
print()
print(time.perf_counter() - start, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))
"""


def launch(command: Sequence[str], environment: dict[str, str], how: str) -> tuple[str, float, float]:
    """Output, wall time, s, and peak memory, bytes, of a command."""
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, how]
    done = subprocess.run([*launcher, *command], env=environment, capture_output=True, text=True, check=True)
    *output, told = done.stdout.rstrip("\n").split("\n")
    wall, memory, status = told.split()
    if int(status):
        raise SystemExit(f"{' '.join(command)}: status {status}\n{done.stderr[-2000:]}")
    return "\n".join(output), float(wall), float(memory)


def run(command: Sequence[str], environment: dict[str, str], folder: Path) -> tuple[float, float]:
    """Wall time, s, and peak memory, bytes, of a command; its products are removed."""
    _, wall, memory = launch(command, environment, "quiet")
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return wall, memory


def in_process(which: str, told: dict[str, Any], environment: dict[str, str]) -> tuple[Any, float, float]:
    """What a process of `tests.bench.call` tells; its wall time, s, and peak memory, bytes."""
    command = [sys.executable, "-m", "tests.bench.call", which, json.dumps(told)]
    output, wall, memory = launch(command, environment, "told")
    return json.loads(output.strip().splitlines()[-1]), wall, memory


def predicted_memory(case: Case, raw: Path, environment: dict[str, str]) -> int:
    """Peak memory that `jwcal run --plan` announces, bytes."""
    command = our_command(case, raw, Path())
    told = subprocess.run([*command, "--plan"], env=environment, capture_output=True, text=True, check=True)
    return int(float(told.stdout.split("peak memory:")[1].split("MB")[0]) * 1e6)


def print_case(
    case: Case, raw: Path, ours: Measured, theirs: Measured, floor: Measured, predicted: int
) -> None:
    print(f"\n{case.name}: {case.title} ({raw.stat().st_size / _GB:.3g} GB)")
    wall_target, call_target, memory_target = case.targets
    scale = case.repeat / case.official_ints if case.official_ints else 1.0
    if scale != 1:
        print(f"  official on {case.official_ints} of {case.repeat} integrations; its times x {scale:g}")
    rows = [
        ("wall, whole process", "s", ours.wall, theirs.wall, floor.wall, wall_target, scale),
        ("call in a running process", "s", ours.call, theirs.call, floor.call, call_target, scale),
        (
            "peak memory", "GB", [m / _GB for m in ours.memory], [m / _GB for m in theirs.memory],
            [m / _GB for m in floor.memory], memory_target, 1.0,
        ),
    ]  # fmt: skip
    print(f"  {'':<26}{'jwcal':>22}{'official':>22}{'ratio':>24}{'target':>8}{'floor':>8}")
    for title, unit, own, other, least, target, times in rows:
        if not own:
            continue
        other = [value * times for value in other]
        pairs = zip(own, other, strict=True) if other else ()
        ratios = [(o / t if unit == "GB" else t / o) for o, t in pairs]
        aim = f"{target:.2f}" if unit == "GB" else f"{target:g}x"
        print(
            f"  {title + ', ' + unit:<26}{spread(own):>22}{spread(other):>22}{spread(ratios):>24}"
            f"{aim if target else '':>8}{statistics.median(least):>8.2f}"
        )
    measured = statistics.median(ours.memory)
    print(f"  memory predicted {predicted / _GB:.3f} GB, measured {measured / _GB:.3f} GB "
          f"({100 * (predicted / measured - 1):+.0f} %)", flush=True)  # fmt: skip


def print_spent(parts: dict[str, float], wall: float, call: float) -> None:
    """Print the parts of a call on one thread, the longest first, and what starting the process adds to it."""
    named = sorted(parts.items(), key=lambda part: -part[1])
    print("  spent on one thread, s: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in named))
    if call:
        print(f"  start and end of the process, first use of kernels, s: {wall - call:.2f}", flush=True)


def spread(values: Sequence[float]) -> str:
    """Median (minimum to maximum)."""
    if not values:
        return ""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
