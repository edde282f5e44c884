"""The exposures on which both pipelines are compared: every instrument, read-out and optional step."""

from __future__ import annotations

from dataclasses import replace

from jwcal_interactive.simulate import ExposureSpec
from tests.parity.lockstep import Case, Reason

_SUB640 = ExposureSpec(subarray="SUB640", ngroups=8, observation="001")
_MIRI = ExposureSpec(
    instrument="MIRI", detector="MIRIMAGE", readpatt="FASTR1", filter="F770W", pupil="", exp_type="MIR_IMAGE",
    ngroups=8, nints=2,
)  # fmt: skip
_MRS = replace(_MIRI, detector="MIRIFUSHORT", exp_type="MIR_MRS", filter="")
_NIRSPEC = ExposureSpec(
    instrument="NIRSPEC", detector="NRS1", readpatt="NRSRAPID", filter="F290LP", grating="G395H", pupil="",
    exp_type="NRS_IFU", ngroups=5,
)  # fmt: skip
_IRS2 = replace(_NIRSPEC, readpatt="NRSIRS2RAPID")
_NIRISS = ExposureSpec(
    instrument="NIRISS", detector="NIS", readpatt="NISRAPID", filter="CLEAR", pupil="F200W",
    exp_type="NIS_IMAGE", ngroups=5,
)  # fmt: skip
_FGS = ExposureSpec(
    instrument="FGS",
    detector="GUIDER1",
    readpatt="FGSRAPID",
    filter="",
    pupil="",
    exp_type="FGS_IMAGE",
    ngroups=5,
)
_ON = {"skip": False}
_TRANSFORMS = "Fourier transforms in single precision, made differently: 1e-7 of the signal less its mean"
_IRS2_REASONS = {"refpix": Reason(_TRANSFORMS, within=0.01), "ramp_fit": Reason(_TRANSFORMS, within=1e-4)}

CASES: tuple[Case, ...] = (
    Case("NIRCam", "FULL RAPID", ExposureSpec()),
    Case("NIRCam", "FULL BRIGHT2", ExposureSpec(readpatt="BRIGHT2", ngroups=6, observation="006", seed=6)),
    Case("NIRCam", "SUB640 RAPID", _SUB640),
    Case("NIRCam", "SUB640 RAPID, 3 ints", replace(_SUB640, nints=3, observation="002")),
    Case(
        "NIRCam",
        "SUB640 BRIGHT2, 3 ints",
        replace(_SUB640, readpatt="BRIGHT2", nints=3, observation="004", seed=4),
    ),
    Case("NIRISS", "FULL NISRAPID", _NIRISS),
    Case(
        "NIRISS",
        "SUBSTRIP256 SOSS, 3 ints",
        replace(_NIRISS, subarray="SUBSTRIP256", pupil="GR700XD", exp_type="NIS_SOSS", nints=3),
    ),
    Case("FGS", "GUIDER1 FULL", _FGS),
    Case("FGS", "GUIDER2 FULL", replace(_FGS, detector="GUIDER2")),
    Case("NIRSpec", "NRS1 FULL NRSRAPID", _NIRSPEC),
    Case("NIRSpec", "NRS2 FULL NRSIRS2RAPID", replace(_IRS2, detector="NRS2"), reasons=_IRS2_REASONS),
    Case("NIRSpec", "NRS1 FULL NRSIRS2", replace(_IRS2, readpatt="NRSIRS2"), reasons=_IRS2_REASONS),
    Case("MIRI", "imager FULL FASTR1, 2 ints", _MIRI),
    Case("MIRI", "imager FULL SLOWR1", replace(_MIRI, readpatt="SLOWR1", nints=1)),
    Case("MIRI", "imager SUB256 FASTR1, 3 ints", replace(_MIRI, subarray="SUB256", nints=3)),
    Case(
        "MIRI",
        "LRS SLITLESSPRISM, 3 ints",
        replace(_MIRI, subarray="SLITLESSPRISM", filter="P750L", exp_type="MIR_LRS-SLITLESS", nints=3),
    ),
    Case("MIRI", "MRS MIRIFUSHORT", _MRS),
    Case("MIRI", "MRS MIRIFULONG", replace(_MRS, detector="MIRIFULONG")),
    Case("FGS", "guide star ACQ1 (flight)", "lib/tests/data/add_wcs_default_acq1.fits", pipeline="guider"),
    Case("NIRCam", "dark, SUB640", replace(_SUB640, exp_type="NRC_DARK", observation="012"), pipeline="dark"),
    Case(
        "MIRI",
        "dark, SUB256, 3 ints",
        replace(_MIRI, subarray="SUB256", exp_type="MIR_DARKIMG", nints=3, observation="013"),
        pipeline="dark",
    ),
    # Optional steps and algorithms, on exposures as small as they allow.
    Case(
        "NIRCam",
        "SUB640, snowballs",
        replace(_SUB640, nints=3, observation="010", snowball_rate=3e-7),
        steps={"jump": {"expand_large_events": True}},
    ),
    Case(
        "MIRI",
        "imager SUB256, showers, emicorr, firstframe",
        replace(_MIRI, subarray="SUB256", nints=3, emi=3.0, shower_rate=2e-7, observation="011"),
        steps={"emicorr": _ON, "firstframe": _ON, "jump": {"find_showers": True}},
        reasons={
            "emicorr": Reason("sums in another order: the last bit of some values", within=0.004),
            "ramp_fit": Reason("so that ramps at a limit between weights have the other weight", within=0.01),
        },
    ),
    Case(
        "MIRI",
        "LRS SLITLESSPRISM, emicorr sequential",
        replace(_MIRI, subarray="SLITLESSPRISM", filter="P750L", exp_type="MIR_LRS-SLITLESS", emi=3.0),
        steps={"emicorr": {**_ON, "algorithm": "sequential"}},
    ),
    Case(
        "NIRCam",
        "SUB640 MEDIUM8",
        replace(_SUB640, readpatt="MEDIUM8", ngroups=5, observation="014"),
        reasons={
            "saturation": Reason("frames dropped between groups count", within=50.0, flags=20),
            "ramp_fit": Reason("frames dropped between groups count", within=10.0, flags=20),
        },
    ),
    Case(
        "NIRCam",
        "SUB640, charge_migration, clean_flicker_noise, persistence",
        replace(_SUB640, nints=3, observation="002"),
        steps={
            "charge_migration": _ON,
            "clean_flicker_noise": _ON,
            "persistence": {**_ON, "persistence_time": 100, "dn_threshold": 20000},
        },
    ),
    Case("NIRCam", "SUB640, LIKELY", _SUB640, steps={"ramp_fit": {"algorithm": "LIKELY"}}),
    Case(
        "NIRCam", "FULL, refpix sirs", ExposureSpec(ngroups=4), steps={"refpix": {"refpix_algorithm": "sirs"}}
    ),
    Case(
        "NIRSpec",
        "NRS1 FULL NRSRAPID, picture_frame, clean_flicker_noise",
        replace(_NIRSPEC, ngroups=4),
        steps={"picture_frame": {**_ON, "mask_science_regions": False}, "clean_flicker_noise": _ON},
    ),
)
