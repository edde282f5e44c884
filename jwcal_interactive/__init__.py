"""Interactive reduction of JWST exposures: the headless core.

Open a raw exposure, see what each step does to it, change a setting, leave with a notebook that repeats it:

>>> from jwcal_interactive import open_session
>>> session = open_session("jw01234001001_02101_00001_nrcalong_uncal.fits")
>>> session.set("jump", rejection_threshold=5.0)
>>> session.run()
>>> session.write("products")
>>> session.export("reduction.ipynb")

The panels are in the package ``jwcal_widgets``; simulated exposures in `jwcal_interactive.simulate`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jwcal_interactive.arrays import Exposure, GuiderSlopes, Ramp, Rates, Slopes
from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import FlagEdit
from jwcal_interactive.errors import (
    Cancelled,
    InputError,
    JwcalError,
    NotebookError,
    OutputError,
    ParameterError,
    ReferenceError,
)
from jwcal_interactive.headless import calibrate
from jwcal_interactive.pipeline import Outcome, Progress
from jwcal_interactive.version import VERSION

if TYPE_CHECKING:
    from jwcal_interactive.session.comparison import Comparison
    from jwcal_interactive.session.opening import open_session
    from jwcal_interactive.session.session import Session, StepStatus

__version__ = VERSION

__all__ = [
    "DQ",
    "Cancelled",
    "Comparison",
    "Exposure",
    "FlagEdit",
    "GuiderSlopes",
    "InputError",
    "JwcalError",
    "NotebookError",
    "Outcome",
    "OutputError",
    "ParameterError",
    "Progress",
    "Ramp",
    "Rates",
    "ReferenceError",
    "Session",
    "Slopes",
    "StepStatus",
    "__version__",
    "calibrate",
    "open_session",
]

# Loaded when asked for: the command line starts without sessions.
_WHERE = {
    "Comparison": "comparison",
    "Session": "session",
    "StepStatus": "session",
    "open_session": "opening",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.session.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
