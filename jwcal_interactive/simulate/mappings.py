"""Mappings of the demonstration CRDS context: which file serves which exposure, in the form of CRDS."""

from __future__ import annotations

import hashlib
import pprint
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jwcal_interactive.simulate.detectors import DETECTORS, Detector
from jwcal_interactive.simulate.parameter_references import PARS_TYPES
from jwcal_interactive.simulate.references import (
    REFERENCE_KINDS,
    USEAFTER,
    ReferenceCase,
    ReferenceKind,
    Scope,
)

__all__ = ["CONTEXT", "JUMP_PARAMETERS_FILE", "Entry", "entries", "mapping_texts"]

CONTEXT = "jwst_0001.pmap"
JUMP_PARAMETERS_FILE = "jwst_nircam_pars-jumpstep_0001.asdf"
_DATE_KEYS = ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")
_NOT_APPLICABLE = "N/A"
# Types that stage-1 steps ask for and that have no files here.
_WITHOUT_FILES = ("dflat", "fflat", "pastasoss", "sflat")

Match = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One reference file of the cache."""

    kind: ReferenceKind
    case: ReferenceCase
    name: str


def _detectors(instrument: str) -> list[Detector]:
    return [d for d in DETECTORS.values() if d.instrument == instrument]


def _instruments() -> list[str]:
    return sorted({d.instrument for d in DETECTORS.values()})


def entries() -> Iterator[Entry]:
    """Every reference file of the cache, numbered per instrument and type."""
    for instrument in _instruments():
        for kind in REFERENCE_KINDS.values():
            cases = (case for d in _detectors(instrument) for case in kind.cases(d) if kind.applies(case))
            for number, case in enumerate(cases, start=1):
                name = f"jwst_{instrument.lower()}_{kind.reftype}_{number:04d}.{kind.extension}"
                yield Entry(kind, case, name)


def mapping_texts() -> dict[str, str]:
    """Text of every mapping by file name."""
    texts: dict[str, str] = {}
    instruments: dict[str, str] = {}
    for instrument in _instruments():
        types = (*_WITHOUT_FILES, *REFERENCE_KINDS, *PARS_TYPES)
        selector: dict[str, str] = dict.fromkeys(types, _NOT_APPLICABLE)
        for reftype, text in _reference_mappings(instrument).items():
            name = f"jwst_{instrument.lower()}_{reftype}_0001.rmap"
            texts[name] = text
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
    names = {(e.kind.reftype, e.case): e.name for e in entries() if e.case.detector.instrument == instrument}
    texts = {}
    for kind in REFERENCE_KINDS.values():
        cases = [case for d in _detectors(instrument) for case in kind.cases(d)]
        if not any((kind.reftype, case) in names for case in cases):
            continue
        rules: dict[Match, str] = {}
        keys: dict[str, str] = {}
        for case in cases:
            keys = _keys(kind, case)
            rules[tuple(keys.values())] = names.get((kind.reftype, case), _NOT_APPLICABLE)
        texts[kind.reftype] = _reference_mapping(instrument, kind.reftype, tuple(keys), rules)
    if instrument == "NIRCAM":
        rules = {(d.name,): JUMP_PARAMETERS_FILE for d in _detectors(instrument)}
        texts["pars-jumpstep"] = _reference_mapping(
            instrument, "pars-jumpstep", ("META.INSTRUMENT.DETECTOR",), rules
        )
    return texts


def _keys(kind: ReferenceKind, case: ReferenceCase) -> dict[str, str]:
    """Give what selects a file, and the values for this one; all cases of a type have the same keys."""
    keys = {"META.INSTRUMENT.DETECTOR": case.detector.name}
    if case.subarray is not None and case.subarray.readpatts:
        keys["META.EXPOSURE.READPATT"] = "|".join(case.subarray.readpatts)
    if case.subarray is not None and kind.scope is Scope.SUBARRAY:
        keys["META.SUBARRAY.NAME"] = case.subarray.name
    return keys


def _reference_mapping(instrument: str, reftype: str, keys: Match, rules: Mapping[Match, str]) -> str:
    header = {
        "filekind": reftype.upper(),
        "instrument": instrument,
        "mapping": "REFERENCE",
        "parkey": (keys, _DATE_KEYS),
    }
    useafter = USEAFTER.replace("T", " ")
    lines = [
        f"    {match!r} : UseAfter({{\n        {useafter!r} : {name!r},\n    }}),"
        for match, name in rules.items()
    ]
    selector = "Match({\n" + "\n".join(lines) + "\n})"
    return _mapping(f"jwst_{instrument.lower()}_{reftype}_0001.rmap", header, selector)


def _mapping(name: str, header: Mapping[str, object], selector: str) -> str:
    """Text of a mapping with its checksum: SHA-1 of the text without the checksum's line."""
    texts = {
        **header,
        "derived_from": "jwcal_interactive.simulate",
        "description": "Simulated references for demonstrations and tests",
        "name": name,
        "observatory": "JWST",
    }
    lines = [f"    {key!r} : {texts[key]!r},\n" for key in sorted(texts)]
    head, tail = "header = {\n" + "".join(lines), "}\n\nselector = " + selector + "\n"
    checksum = hashlib.sha1((head + tail).encode(), usedforsecurity=False).hexdigest()
    return f"{head}    'sha1sum' : {checksum!r},\n{tail}"
