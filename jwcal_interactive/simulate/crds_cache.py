"""A small CRDS cache with simulated references, so that calibration works with no network.

The layout and the mappings are those of the CRDS of the Space Telescope Science Institute; its
unmodified client resolves them, and so does the unmodified official pipeline.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pprint
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate.detectors import DETECTORS, Detector, Subarray
from jwcal_interactive.simulate.parameter_references import PARS_TYPES, write_jump_parameters
from jwcal_interactive.simulate.references import (
    REFERENCE_KINDS,
    USEAFTER,
    ReferenceKind,
    write_reference,
)
from jwcal_interactive.simulate.saving import save_whole
from jwcal_interactive.simulate.source import remove_superseded, source_hash

__all__ = ["CONTEXT", "DemoCache", "build_demo_cache"]

CONTEXT = "jwst_0001.pmap"
_DATE_KEYS = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")

# Types of reference that the stage-1 steps of each instrument ask for; those with files here come
# from `REFERENCE_KINDS`, the others are not applicable.
_REFTYPES: dict[str, tuple[str, ...]] = {
    "FGS": ("mask", "gain", "readnoise"),
    "NIRCAM": tuple(REFERENCE_KINDS),
}
_NOT_APPLICABLE = (
    *("dflat", "emicorr", "fflat", "flat", "pastasoss", "pictureframe", "refpix", "reset"),
    *("rscd", "sflat", "sirskernel"),
)


@dataclass(frozen=True)
class DemoCache:
    """A built cache.

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


@dataclass(frozen=True)
class _Entry:
    """One reference file of the cache."""

    kind: ReferenceKind
    detector: Detector
    subarray: Subarray | None
    name: str


def build_demo_cache(
    root: Path,
    *,
    progress: Callable[[str], None] | None = None,
    subarrays: Iterable[str] = ("FULL", "SUB640"),
) -> DemoCache:
    """Build the cache under a folder, or complete it; what is there already is kept.

    Every file is written under a temporary name and moved into place, and its content depends on
    this package's source alone: two processes that build at once do no harm. The cache sits in a
    sub-folder named after that source, so that a newer version never mixes with an older one; those of
    other versions are removed when nobody used them for a week.

    Parameters
    ----------
    root : Path
        Folder for caches; created if missing.
    progress : callable, optional
        Called with a short text before each file is built.
    subarrays : iterable of str
        Subarrays whose own references (superbias, dark) are needed now.

    Returns
    -------
    DemoCache

    Raises
    ------
    ParameterError
        If no detector has such a subarray.
    OutputError
        If a file cannot be written.
    """
    root = Path(root).resolve()
    cache = DemoCache(root / f"demo-{source_hash()[:12]}")
    wanted = _checked(subarrays)
    remove_superseded(root, r"demo-[0-9a-f]{12}", keep=cache.root.name)
    announce = progress or (lambda _: None)
    for name, text in _mappings().items():
        _write_if_missing(cache.root / "mappings" / "jwst" / name, text)
    # One detector after the other: the pixel maps of the last one only are kept in memory.
    for entry in sorted(_entries(), key=lambda entry: entry.detector.name):
        path = cache.root / "references" / "jwst" / entry.detector.instrument.lower() / entry.name
        of_subarray = entry.subarray.name if entry.subarray else ""
        needed = entry.subarray is None or of_subarray in wanted
        if needed and not path.exists():
            announce(f"reference {entry.kind.reftype} of {entry.detector.name} {of_subarray}".rstrip())
            write_reference(entry.kind, entry.detector, entry.subarray, path)
    parameters = cache.root / "references" / "jwst" / "nircam" / _JUMP_PARAMETERS
    if not parameters.exists():
        write_jump_parameters(parameters)
    _write_if_missing(cache.root / "config" / "jwst" / "ref_cache_subdir_mode", "instrument\n")
    _write_if_missing(cache.root / "config" / "jwst" / "server_config", _server_config())
    with contextlib.suppress(OSError):  # somebody else's cache can be used, but not marked as used
        os.utime(cache.root)
    return cache


def _checked(subarrays: Iterable[str]) -> set[str]:
    wanted = set(subarrays)
    known = {s.name for d in DETECTORS.values() for s in d.subarrays}
    if unknown := sorted(wanted - known):
        raise ParameterError(
            f"subarrays={unknown}: no detector of the demo context has them; "
            f"allowed: {', '.join(sorted(known))}."
        )
    return wanted


def _write_if_missing(path: Path, text: str) -> None:
    if not path.exists():
        save_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _entries() -> Iterator[_Entry]:
    """Every reference file of the cache, numbered per instrument and type."""
    for instrument, reftypes in _REFTYPES.items():
        detectors = [d for d in DETECTORS.values() if d.instrument == instrument]
        for reftype in reftypes:
            kind = REFERENCE_KINDS[reftype]
            cases: list[tuple[Detector, Subarray | None]] = []
            for detector in detectors:
                if kind.per_subarray:
                    cases += [(detector, subarray) for subarray in detector.subarrays]
                else:
                    cases.append((detector, None))
            for number, (detector, subarray) in enumerate(cases, start=1):
                name = f"jwst_{instrument.lower()}_{reftype}_{number:04d}.fits"
                yield _Entry(kind, detector, subarray, name)


_JUMP_PARAMETERS = "jwst_nircam_pars-jumpstep_0001.asdf"


def _mappings() -> dict[str, str]:
    """Text of every mapping by file name."""
    texts: dict[str, str] = {}
    instruments: dict[str, str] = {}
    for instrument in _REFTYPES:
        selector: dict[str, str] = dict.fromkeys((*_NOT_APPLICABLE, *PARS_TYPES), "N/A")
        for reftype, rmap in _reference_mappings(instrument).items():
            name = f"jwst_{instrument.lower()}_{reftype}_0001.rmap"
            texts[name] = rmap
            selector[reftype] = name
        name = f"jwst_{instrument.lower()}_0001.imap"
        header = {"instrument": instrument, "mapping": "INSTRUMENT", "parkey": ("REFTYPE",)}
        upper = {reftype.upper(): value for reftype, value in sorted(selector.items())}
        texts[name] = _mapping(name, header, pprint.pformat(upper))
        instruments[instrument] = name
    header = {"mapping": "PIPELINE", "parkey": ("META.INSTRUMENT.NAME",)}
    texts[CONTEXT] = _mapping(CONTEXT, header, pprint.pformat(instruments))
    return texts


def _reference_mappings(instrument: str) -> dict[str, str]:
    """Text of the rmap of each type."""
    cases: dict[str, dict[tuple[str, ...], str]] = {}
    for entry in _entries():
        if entry.detector.instrument == instrument:
            key: tuple[str, ...] = (entry.detector.name,)
            if entry.subarray is not None:
                key += (entry.subarray.name,)
            cases.setdefault(entry.kind.reftype, {})[key] = entry.name
    texts = {}
    for reftype, files in cases.items():
        keys = ["META.INSTRUMENT.DETECTOR"]
        if REFERENCE_KINDS[reftype].per_subarray:
            keys.append("META.SUBARRAY.NAME")
        texts[reftype] = _reference_mapping(instrument, reftype, tuple(keys), files)
    if instrument == "NIRCAM":
        files = {(d.name,): _JUMP_PARAMETERS for d in DETECTORS.values() if d.instrument == "NIRCAM"}
        texts["pars-jumpstep"] = _reference_mapping(
            instrument, "pars-jumpstep", ("META.INSTRUMENT.DETECTOR",), files
        )
    return texts


def _reference_mapping(
    instrument: str, reftype: str, keys: tuple[str, ...], files: Mapping[tuple[str, ...], str]
) -> str:
    header = {
        "filekind": reftype.upper(),
        "instrument": instrument,
        "mapping": "REFERENCE",
        "parkey": (keys, _DATE_KEYS),
    }
    useafter = USEAFTER.replace("T", " ")
    lines = [
        f"    {match!r} : UseAfter({{\n        {useafter!r} : {name!r},\n    }}),"
        for match, name in files.items()
    ]
    selector = "Match({\n" + "\n".join(lines) + "\n})"
    return _mapping(f"jwst_{instrument.lower()}_{reftype}_0001.rmap", header, selector)


def _mapping(name: str, header: Mapping[str, object], selector: str) -> str:
    """Text of a mapping with its checksum: SHA-1 of the text without the checksum's line."""
    entries = {
        **header,
        "derived_from": "jwcal_interactive.simulate",
        "description": "Simulated references for demonstrations and tests",
        "name": name,
        "observatory": "JWST",
    }
    lines = [f"    {key!r} : {entries[key]!r},\n" for key in sorted(entries)]
    head, tail = "header = {\n" + "".join(lines), "}\n\nselector = " + selector + "\n"
    checksum = hashlib.sha1((head + tail).encode(), usedforsecurity=False).hexdigest()
    return f"{head}    'sha1sum' : {checksum!r},\n{tail}"


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
