"""The demonstration: a simulated raw exposure through everything this software does, with no network."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from jwcal_interactive.io.atomic import atomic_path, writable_folder
from jwcal_interactive.io.products import product_path
from jwcal_interactive.io.raw import read_arrays
from jwcal_interactive.references.client import DEMO

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session
    from jwcal_interactive.simulate import ExposureSpec

__all__ = [
    "DEMO_SUBARRAYS",
    "Demo",
    "demo_exposure",
    "demo_session",
    "kept_exposure",
    "repeat_with_papermill",
    "write_demo",
]

DEMO_SUBARRAYS = ("FULL", "SUB640")


@dataclass(frozen=True)
class Demo:
    """Files of a demonstration: raw exposure, products, notebook, executed copy, and its products."""

    raw: Path
    products: tuple[Path, ...]
    notebook: Path
    session_file: Path


def _spec(subarray: str) -> ExposureSpec:
    from jwcal_interactive.simulate import ExposureSpec

    small = {"ngroups": 8, "nints": 3, "observation": "002"} if subarray != "FULL" else {}
    return replace(ExposureSpec(subarray=subarray), **small)  # type: ignore[arg-type]


def demo_exposure(
    folder: str | Path, subarray: str = "SUB640", *, progress: Callable[[str], None] | None = None
) -> Path:
    """Put the raw exposure of the demonstration, and its truth, into a folder.

    It is simulated once and kept in the user's cache folder.

    Parameters
    ----------
    folder : str or Path
        Created if needed.
    subarray : {"SUB640", "FULL"}
        NIRCam long-wave: 640 x 640 pixels, 8 groups, 3 integrations; or the full frame of 2048 x 2048 pixels,
        10 groups, 1 integration.
    progress : callable, optional
        Told what happens.

    Returns
    -------
    Path
        Of the level-1b file (``_uncal.fits``).
    """
    folder = writable_folder(folder)
    kept = kept_exposure(_spec(subarray), progress=progress)
    for file in kept:
        with atomic_path(folder / file.name) as temporary:
            shutil.copyfile(file, temporary)
    return folder / kept[0].name


def kept_exposure(spec: ExposureSpec, *, progress: Callable[[str], None] | None = None) -> tuple[Path, Path]:
    """Simulate an exposure once and keep it in the user's cache folder.

    Returns
    -------
    raw, truth : Path
        Level-1b file and truth file; do not change them.
    """
    from jwcal_interactive import simulate

    kept = Path(platformdirs.user_cache_dir("jwcal_interactive")) / "demo_exposures" / _name_of(spec)
    raw = kept / f"{spec.rootname}_uncal.fits"
    truth = kept / f"{spec.rootname}_truth.fits"
    if not (raw.is_file() and truth.is_file()):
        if progress is not None:
            progress(f"simulating {raw.name}, once")
        writable_folder(kept)
        exposure = simulate.simulate_exposure(spec)
        simulate.write_truth(exposure, kept)
        simulate.write_level1b(exposure, kept)
    return raw, truth


def _name_of(spec: ExposureSpec) -> str:
    """Name for what the simulator makes of a specification: it changes when its code does."""
    from jwcal_interactive.simulate import source_hash

    return hashlib.sha256((repr(spec) + source_hash()).encode()).hexdigest()[:16]


def demo_session(
    folder: str | Path, subarray: str = "SUB640", *, progress: Callable[[str], None] | None = None
) -> Session:
    """Open the demonstration exposure with the embedded references; it has not run yet."""
    from jwcal_interactive.session.opening import open_session

    raw = demo_exposure(folder, subarray, progress=progress)
    return open_session(raw, context=DEMO)


def write_demo(session: Session, folder: Path) -> Demo:
    """Write products, notebook and session file of a demonstration that has run."""
    raw = session.path
    return Demo(
        raw,
        session.write(folder),
        session.export(product_path(raw.name, "reduction", folder).with_suffix(".ipynb")),
        session.save(product_path(raw.name, "session", folder).with_suffix(".json")),
    )


def repeat_with_papermill(demo: Demo, folder: Path) -> tuple[Path, bool]:
    """Run the notebook of a demonstration headless and compare its products array by array.

    Returns
    -------
    executed : Path
        Executed copy of the notebook.
    identical : bool
        Whether every array of every product has the same type, shape and bits (NaN included).
    """
    from jwcal_interactive.notebook_run import run_notebook

    again = folder / "papermill"
    executed = run_notebook(
        demo.notebook,
        demo.notebook.with_name(f"{demo.notebook.stem}_executed.ipynb"),
        {"input_file": str(demo.raw.resolve()), "output_dir": str(again.resolve())},
    )
    return executed, all(same_arrays(path, again / path.name) for path in demo.products)


def same_arrays(first: Path, second: Path) -> bool:
    """Whether the image extensions of two FITS files have the same names, types, shapes and bits."""
    one, two = read_arrays(first), read_arrays(second)

    def bits(array: Any) -> tuple[str, tuple[int, ...], bytes]:
        return array.dtype.str, array.shape, array.tobytes()

    return one.keys() == two.keys() and all(bits(one[k]) == bits(two[k]) for k in one)
