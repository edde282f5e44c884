"""Compare this package with the official pipeline and print the table of parity.

python -m tests.parity --table [--only TEXT]
"""

from __future__ import annotations

import argparse
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator

from jwcal_interactive.errors import one_line
from tests.parity.cases import CASES
from tests.parity.lockstep import ULP, Row, run_case

_HEAD = ("instrument", "mode", "step", "outcome", "values", "ulp", "largest", "DQ", "reason for a difference")


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """Rows of a Markdown table."""
    yield "| " + " | ".join(_HEAD) + " |"
    yield "|" + "---|" * len(_HEAD)
    for row in rows:
        if not row.problems:
            reason = ""
        elif row.is_explained and row.reason:
            reason = row.reason.why
        else:
            reason = "NOT EXPLAINED: " + "; ".join(p.split(": ", 1)[1] for p in row.problems)
        flags = f"{row.flags_differing} differ" if row.flags_differing else "equal"
        cells = (
            row.case.instrument,
            row.case.mode,
            row.step,
            row.outcome,
            f"{row.values:,}",
            str(row.ulp),
            f"{row.largest:.2g}",
            flags,
            reason,
        )
        yield "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true", help="print the table (there is nothing else to do)")
    parser.add_argument("--only", default="", help="only cases whose name contains this text")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the official pipeline tells its whole life
    unexplained = 0

    def rows() -> Iterator[Row]:
        nonlocal unexplained
        for case in CASES:
            if options.only.lower() not in case.name.lower():
                continue
            try:
                for row in run_case(case):
                    unexplained += not row.is_explained
                    yield row
            except Exception as error:  # noqa: BLE001  the other cases are worth having
                unexplained += 1
                traceback.print_exc()
                yield Row(case, "-", f"FAILED: {type(error).__name__}: {one_line(error)}")

    for line in lines(rows()):
        print(line, flush=True)
    print(
        f"\nulp: largest difference, float32 units in the last place; up to {ULP} count as equal; largest: the"
    )
    print("same in DN, or DN/s after ramp_fit.")
    print(f"{unexplained} differences without a reason.")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
