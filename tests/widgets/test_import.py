from __future__ import annotations

import subprocess
import sys


def test_import_loads_no_second_plotting_library():
    """bqplot draws all; bqplot-image-gl breaks the selectors of bqplot 0.13."""
    code = "import jwcal_widgets, sys; print(*sorted(m.split('.')[0] for m in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert "bqplot" in loaded
    assert not loaded & {"matplotlib", "bqplot_image_gl", "bqplot_gl", "ipympl", "jwst"}
