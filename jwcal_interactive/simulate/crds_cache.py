"""A small CRDS cache with simulated references, so that calibration works with no network.

The layout and the mappings are those of the CRDS of the Space Telescope Science Institute; its
unmodified client resolves them, and so does the unmodified official pipeline. The mappings name every file;
the files themselves are made when they are needed.
"""

from __future__ import annotations

import contextlib
import os
import pprint
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate.detectors import DETECTORS
from jwcal_interactive.simulate.mappings import (
    CONTEXT,
    JUMP_PARAMETERS_FILE,
    Entry,
    entries,
    mapping_texts,
)
from jwcal_interactive.simulate.parameter_references import write_jump_parameters
from jwcal_interactive.simulate.references import Scope, write_reference
from jwcal_interactive.simulate.saving import save_whole
from jwcal_interactive.simulate.source import remove_superseded, source_hash

__all__ = ["CONTEXT", "DemoCache", "build_demo_cache", "open_demo_cache"]

Progress = Callable[[str], None]

# What guiding exposures are calibrated with.
_GUIDING_TYPES = frozenset({"flat", "gain", "mask", "readnoise"})


@dataclass(frozen=True)
class DemoCache:
    """A cache on disk.

    Attributes
    ----------
    root : Path
        The folder for CRDS_PATH.
    context : str
        Name of the CRDS context.
    """

    root: Path
    context: str = CONTEXT

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make CRDS use this cache; CRDS_SERVER_URL and CRDS_MODE must be unset."""
        return {"CRDS_PATH": str(self.root), "CRDS_CONTEXT": self.context}

    def path(self, name: str) -> Path:
        """Where a reference file is, or will be."""
        instrument = name.split("_")[1]
        return self.root / "references" / "jwst" / instrument / name

    def make(self, names: Iterable[str], progress: Progress | None = None) -> None:
        """Make those of some reference files that are not there yet.

        Each file is written under a temporary name and moved into place, and its content depends on this
        package's source alone: processes that make it at the same time do no harm.

        Parameters
        ----------
        names : iterable of str
            Names of files, as the mappings give them; others are left to CRDS.
        progress : callable, optional
            Called with a short text before each file is made.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        missing = {name for name in names if not self.path(name).exists()}
        if not missing:
            return
        announce = progress or (lambda _: None)
        # One detector after the other: the pixel maps of the last one only are kept in memory.
        for entry in sorted(entries(), key=lambda entry: entry.case.detector.name):
            if entry.name in missing:
                announce(f"reference {entry.kind.reftype} of {entry.case}")
                write_reference(entry.kind, entry.case, self.path(entry.name))

    def make_for(
        self,
        detector: str,
        subarray: str,
        readpatt: str,
        *,
        guiding: bool = False,
        optional: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Make the references of an exposure; those of other subarrays and readouts are left out.

        Parameters
        ----------
        detector, subarray, readpatt : str
            Values of the keywords. What is not described here has no files.
        guiding : bool
            Only what guiding exposures need.
        optional : bool
            Also those that only steps need that are off by default.
        progress : callable, optional
            As for `make`.
        """
        wanted = (
            entry.name
            for entry in entries()
            if _serves(entry, detector, subarray, readpatt)
            and (entry.kind.reftype in _GUIDING_TYPES if guiding else optional or not entry.kind.optional)
        )
        self.make(wanted, progress)


def _serves(entry: Entry, detector: str, subarray: str, readpatt: str) -> bool:
    case = entry.case
    if case.detector.name != detector:
        return False
    if case.subarray is None:
        return True
    in_mode = not case.subarray.readpatts or readpatt in case.subarray.readpatts
    return in_mode and (case.subarray.name == subarray or entry.kind.scope is not Scope.SUBARRAY)


def open_demo_cache(root: Path) -> DemoCache:
    """Open the cache under a folder; if it is new, it has its mappings and no reference file yet.

    The cache sits in a sub-folder named after the source of this package, so that a newer version never mixes
    with an older one; those of other versions are removed when nobody used them for a week.

    Parameters
    ----------
    root : Path
        Folder for caches; created if missing.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    root = Path(root).resolve()
    cache = DemoCache(root / f"demo-{source_hash()[:12]}")
    remove_superseded(root, r"demo-[0-9a-f]{12}", keep=cache.root.name)
    _write_mappings(cache)
    if not cache.path(JUMP_PARAMETERS_FILE).exists():
        write_jump_parameters(cache.path(JUMP_PARAMETERS_FILE))
    configuration = cache.root / "config" / "jwst"
    _write_if_missing(configuration / "ref_cache_subdir_mode", "instrument\n")
    _write_if_missing(configuration / "server_config", _server_config())
    with contextlib.suppress(OSError):  # somebody else's cache can be used, but not marked as used
        os.utime(cache.root)
    return cache


def build_demo_cache(
    root: Path,
    *,
    progress: Progress | None = None,
    detectors: Iterable[str] = ("NRCALONG",),
    subarrays: Iterable[str] = ("FULL", "SUB640"),
    optional: bool = False,
) -> DemoCache:
    """Open the cache under a folder and make references ahead; what is there already is kept.

    Parameters
    ----------
    root : Path
        As for `open_demo_cache`.
    progress : callable, optional
        Called with a short text before each file is made.
    detectors, subarrays : iterable of str
        Whose references are needed now, in all their readout modes; those of guiding exposures always are.
    optional : bool
        Also those that only steps need that are off by default.

    Returns
    -------
    DemoCache

    Raises
    ------
    ParameterError
        If there is no such detector, or none of them has such a subarray.
    OutputError
        If a file cannot be written.
    """
    chosen = _checked(set(detectors), set(subarrays))
    cache = open_demo_cache(root)
    for detector, subarray, readpatt in chosen:
        cache.make_for(detector, subarray, readpatt, optional=optional, progress=progress)
    for guider in (d for d in DETECTORS.values() if d.instrument == "FGS"):
        cache.make_for(guider.name, "", "", guiding=True, progress=progress)
    return cache


def _checked(detectors: set[str], subarrays: set[str]) -> list[tuple[str, str, str]]:
    """Detector, subarray and a read pattern of every readout that is wanted."""
    if unknown := sorted(detectors - set(DETECTORS)):
        raise ParameterError(
            f"detectors={unknown}: not in the demo context; allowed: {', '.join(sorted(DETECTORS))}."
        )
    described = [(d, s) for name, d in DETECTORS.items() if name in detectors for s in d.subarrays]
    known = {s.name for _, s in described}
    if unknown := sorted(subarrays - known):
        raise ParameterError(
            f"subarrays={unknown}: no detector of the demo context that was asked for has them; "
            f"allowed: {', '.join(sorted(known))}."
        )
    return [(d.name, s.name, (*s.readpatts, "")[0]) for d, s in described if s.name in subarrays]


def _write_mappings(cache: DemoCache) -> None:
    folder = cache.root / "mappings" / "jwst"
    if (folder / CONTEXT).exists():  # it is written last
        return
    for name, text in mapping_texts().items():
        _write_if_missing(folder / name, text)


def _write_if_missing(path: Path, text: str) -> None:
    if not path.exists():
        save_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _server_config() -> str:
    """Return what the client would otherwise ask its server for."""
    return pprint.pformat(
        {
            "observatory": "jwst",
            "operational_context": CONTEXT,
            "bad_files_list": [],
            "last_synced": "",
        }
    )
