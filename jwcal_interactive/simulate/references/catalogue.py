"""Every type of reference that is made here."""

from __future__ import annotations

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.references import frames, pixels, readouts
from jwcal_interactive.simulate.references.definition import NEAR_INFRARED, ReferenceKind, Scope

__all__ = ["REFERENCE_KINDS"]

_MIRI = frozenset({"MIRI"})
_NIRSPEC = frozenset({"NIRSPEC"})

REFERENCE_KINDS: dict[str, ReferenceKind] = {
    kind.reftype: kind
    for kind in (
        ReferenceKind(
            "mask",
            pixels.mask,
            Scope.READOUT,
            flags=(
                DQ.REFERENCE_PIXEL,
                DQ.DO_NOT_USE,
                DQ.HOT,
                DQ.DEAD,
                DQ.TELEGRAPH,
                DQ.OPEN,
                DQ.RC,
                DQ.BAD_REF_PIXEL,
            ),
        ),
        ReferenceKind("gain", pixels.gain),
        ReferenceKind("readnoise", pixels.readnoise, Scope.READOUT),
        ReferenceKind("saturation", pixels.saturation, flags=(DQ.NO_SAT_CHECK, DQ.DO_NOT_USE)),
        ReferenceKind("linearity", pixels.linearity, flags=(DQ.NONLINEAR, DQ.NO_LIN_CORR)),
        ReferenceKind("ipc", pixels.ipc, located=False),
        ReferenceKind(
            "superbias",
            frames.superbias,
            Scope.SUBARRAY,
            instruments=NEAR_INFRARED,
            flags=(DQ.UNRELIABLE_BIAS, DQ.DO_NOT_USE),
        ),
        ReferenceKind("dark", frames.dark, Scope.SUBARRAY, flags=(DQ.UNRELIABLE_DARK, DQ.HOT, DQ.DO_NOT_USE)),
        ReferenceKind("reset", frames.reset, Scope.SUBARRAY, instruments=_MIRI, flags=(DQ.DO_NOT_USE,)),
        ReferenceKind("rscd", readouts.rscd, instruments=_MIRI, located=False),
        ReferenceKind(
            "emicorr", readouts.emicorr, instruments=_MIRI, located=False, extension="asdf", optional=True
        ),
        ReferenceKind(
            "refpix",
            readouts.refpix,
            Scope.READOUT,
            instruments=_NIRSPEC,
            located=False,
            applies=readouts.has_interleaved,
        ),
        ReferenceKind(
            "sirskernel",
            readouts.sirskernel,
            instruments=NEAR_INFRARED - {"FGS"},
            located=False,
            extension="asdf",
            optional=True,
        ),
        ReferenceKind(
            "pictureframe", readouts.pictureframe, instruments=_NIRSPEC, located=False, optional=True
        ),
        ReferenceKind(
            "flat",
            pixels.flat,
            instruments=frozenset({"NIRCAM", "NIRISS", "FGS", "MIRI"}),
            flags=(DQ.NO_FLAT_FIELD, DQ.UNRELIABLE_FLAT, DQ.DO_NOT_USE),
            optional=True,
        ),
    )
}
