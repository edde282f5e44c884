"""What each instrument has in its wheels, and what its exposures are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["OPTICS", "Optics"]


@dataclass(frozen=True)
class Optics:
    """Allowed values of keywords, and those that an exposure has if none are given.

    Attributes
    ----------
    exp_types : str
        Prefix of EXP_TYPE.
    allowed : mapping of str to tuple of str
        Values of FILTER, PUPIL, GRATING and BAND; an instrument without an element has none.
    usual : mapping of str to str
        Detector, subarray, read pattern, elements and EXP_TYPE by default.
    of_detector : mapping of str to mapping
        What differs for some of its detectors: ``{detector: {name: default}}``.
    """

    exp_types: str
    allowed: Mapping[str, tuple[str, ...]]
    usual: Mapping[str, str]
    of_detector: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def default(self, name: str, detector: str) -> str:
        """Give the default of a field of `ExposureSpec`; empty for an element that the exposure lacks."""
        return self.of_detector.get(detector, {}).get(name, self.usual.get(name, ""))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MRS = {"filter": "", "band": "SHORT", "exp_type": "MIR_MRS"}

# JWST User Documentation, the pages on the filters, gratings and masks of each instrument.
OPTICS: Mapping[str, Optics] = {
    "NIRCAM": Optics(
        "NRC_",
        {
            "filter": _words(
                "F070W F090W F115W F140M F150W F150W2 F182M F187N F200W F210M F212N WLP4 "
                "F250M F277W F300M F322W2 F335M F356W F360M F410M F430M F444W F460M F480M"
            ),
            "pupil": _words(
                "CLEAR F162M F164N F323N F405N F466N F470N GRISMR GRISMC GDHS0 GDHS60 MASKBAR MASKRND MASKIPR "
                "WLM8 WLP8 FLAT PINHOLES"
            ),
        },
        {
            "detector": "NRCALONG",
            "readpatt": "RAPID",
            "filter": "F356W",
            "pupil": "CLEAR",
            "exp_type": "NRC_IMAGE",
        },
        {"NRCB1": {"filter": "F200W"}},
    ),
    "NIRISS": Optics(
        "NIS_",
        {
            "filter": _words("CLEAR F277W F356W F380M F430M F444W F480M GR150C GR150R"),
            "pupil": _words("CLEARP F090W F115W F140M F150W F158M F200W GR700XD NRM"),
        },
        {
            "detector": "NIS",
            "readpatt": "NISRAPID",
            "filter": "CLEAR",
            "pupil": "F200W",
            "exp_type": "NIS_IMAGE",
        },
    ),
    "FGS": Optics("FGS_", {}, {"detector": "GUIDER1", "readpatt": "FGSRAPID", "exp_type": "FGS_IMAGE"}),
    "NIRSPEC": Optics(
        "NRS_",
        {
            "filter": _words("CLEAR F070LP F100LP F110W F140X F170LP F290LP OPAQUE"),
            "grating": _words("G140M G235M G395M G140H G235H G395H PRISM MIRROR"),
        },
        {
            "detector": "NRS1",
            "readpatt": "NRSRAPID",
            "filter": "F290LP",
            "grating": "G395H",
            "exp_type": "NRS_IFU",
        },
    ),
    "MIRI": Optics(
        "MIR_",
        {
            "filter": _words(
                "F560W F770W F1000W F1130W F1280W F1500W F1800W F2100W F2550W F2550WR F1065C F1140C F1550C "
                "F2300C P750L FLENS FND OPAQUE"
            ),
            "band": _words(
                "SHORT MEDIUM LONG SHORT-MEDIUM SHORT-LONG MEDIUM-SHORT MEDIUM-LONG LONG-SHORT LONG-MEDIUM"
            ),
        },
        {"detector": "MIRIMAGE", "readpatt": "FASTR1", "filter": "F770W", "exp_type": "MIR_IMAGE"},
        {"MIRIFULONG": _MRS, "MIRIFUSHORT": _MRS},
    ),
}
