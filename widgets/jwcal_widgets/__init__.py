"""The workbench: step panels, detector image and pixel ramps in JupyterLab, Notebook 7, Voila."""

from __future__ import annotations

from jwcal_widgets.exposures import Exposures
from jwcal_widgets.workbench import Workbench, show

__all__ = ["Exposures", "Workbench", "show"]
