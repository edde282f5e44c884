"""The header values that CRDS rules select on, and the FITS keywords that hold them."""

from __future__ import annotations

from jwcal_interactive.arrays import Exposure

__all__ = ["PARKEYS", "crds_header"]

# CRDS parameter name -> FITS keyword. A test compares the pairs with the schemas of stdatamodels.
PARKEYS: dict[str, str] = {
    "META.INSTRUMENT.NAME": "INSTRUME",
    "META.INSTRUMENT.DETECTOR": "DETECTOR",
    "META.INSTRUMENT.CHANNEL": "CHANNEL",
    "META.INSTRUMENT.MODULE": "MODULE",
    "META.INSTRUMENT.BAND": "BAND",
    "META.INSTRUMENT.FILTER": "FILTER",
    "META.INSTRUMENT.PUPIL": "PUPIL",
    "META.INSTRUMENT.GRATING": "GRATING",
    "META.INSTRUMENT.CORONAGRAPH": "CORONMSK",
    "META.INSTRUMENT.LAMP_STATE": "LAMP",
    "META.INSTRUMENT.LAMP_MODE": "OPMODE",
    "META.INSTRUMENT.FIXED_SLIT": "FXD_SLIT",
    "META.EXPOSURE.TYPE": "EXP_TYPE",
    "META.EXPOSURE.READPATT": "READPATT",
    "META.EXPOSURE.NOUTPUTS": "NOUTPUTS",
    "META.EXPOSURE.NGROUPS": "NGROUPS",
    "META.EXPOSURE.NINTS": "NINTS",
    "META.EXPOSURE.NFRAMES": "NFRAMES",
    "META.EXPOSURE.GROUPGAP": "GROUPGAP",
    "META.SUBARRAY.NAME": "SUBARRAY",
    "META.SUBARRAY.FASTAXIS": "FASTAXIS",
    "META.SUBARRAY.SLOWAXIS": "SLOWAXIS",
    "META.OBSERVATION.DATE": "DATE-OBS",
    "META.OBSERVATION.TIME": "TIME-OBS",
    "META.VISIT.TSOVISIT": "TSOVISIT",
    "META.VISIT.TYPE": "VISITYPE",
    "META.TARGET.SOURCE_TYPE": "SRCTYPE",
}


def crds_header(exposure: Exposure) -> dict[str, str | int | float | bool]:
    """Give the part of an exposure's header that CRDS needs, under the names that its rules use."""
    header: dict[str, str | int | float | bool] = {}
    for name, keyword in PARKEYS.items():
        value = exposure.keyword(keyword)
        if value is not None:
            header[name] = value
    return header
