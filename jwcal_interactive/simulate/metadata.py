"""Header of a level-1b product, by the names of the stdatamodels schema (``meta.`` left out)."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.time import Time

from jwcal_interactive.simulate.irs2 import NORMAL, REFERENCE
from jwcal_interactive.simulate.pointing import Pointing
from jwcal_interactive.simulate.spec import ExposureSpec
from jwcal_interactive.simulate.timeline import Timeline

__all__ = ["level1b_metadata"]

_LIGHT = 299792458.0  # m/s
_TIME_SERIES = frozenset({"NRC_TSIMAGE", "NRC_TSGRISM", "NIS_SOSS", "NRS_BRIGHTOBJ", "MIR_LRS-SLITLESS"})


def level1b_metadata(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    """Return all header values of an exposure.

    Parameters
    ----------
    spec : ExposureSpec
        The exposure.
    timeline : Timeline
        Its times.

    Returns
    -------
    dict
        Value by schema name, such as ``exposure.group_time``.
    """
    return {
        **_provenance(spec),
        **_observation(spec, timeline),
        **_visit(spec, timeline),
        **_target(spec),
        **_instrument(spec),
        **_exposure(spec, timeline),
        **_readout(spec),
        **_subarray(spec),
        **_dither(),
        **_pointing(spec, timeline),
        **_times(timeline),
        **_ephemeris(timeline),
        **_guide_star(spec, timeline),
    }


def _prefixed(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in values.items()}


def _iso(mjd: float) -> str:
    return str(Time(mjd, format="mjd", scale="utc").isot)


def _spaced(mjd: float) -> str:
    """Date and time as the visit and guide-star keywords write them."""
    return str(Time(mjd, format="mjd", scale="utc", precision=7).iso)


def _provenance(spec: ExposureSpec) -> dict[str, Any]:
    return {
        "telescope": "JWST",
        "origin": "jwcal_interactive.simulate",
        "time_sys": "UTC",
        "time_unit": "s",
        "data_processing_software_version": "SIMULATED",
        "prd_software_version": "PRDOPSSOC-067",
        "oss_software_version": "8.4.10",
        "guide_star_catalog_version": "GSC30",
        "hga_move": False,
        "pwfseet": 0.0,
        "nwfsest": 0.0,
        "compress": False,
        "program.title": "Simulated exposure",
        "program.pi_name": "Simulated",
        "program.category": "CAL",
        "program.sub_category": spec.instrument,
    }


def _observation(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    begin, end = _iso(timeline.start), _iso(timeline.end)
    visit_id = f"{spec.program}{spec.observation}{spec.visit}"
    return _prefixed(
        "observation",
        {
            "date": begin[:10],
            "time": begin[11:],
            "date_beg": begin,
            "date_end": end,
            "obs_id": f"V{visit_id}P0000000{spec.visit_group}{spec.sequence}{spec.activity}",
            "visit_id": visit_id,
            "program_number": spec.program,
            "observation_number": spec.observation,
            "visit_number": spec.visit,
            "visit_group": spec.visit_group,
            "sequence_id": spec.sequence,
            "activity_id": spec.activity,
            "exposure_number": spec.exposure.lstrip("0") or "0",
            "bkgdtarg": False,
            "template": "NIRCam Imaging" if spec.instrument == "NIRCAM" else spec.instrument,
            "observation_label": f"{spec.filter} {spec.subarray} {spec.readpatt}".lstrip(),
            "observation_folder": "Simulated exposures",
        },
    )


def _visit(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    hour = 1 / 24
    return _prefixed(
        "visit",
        {
            "engineering_quality": "OK",
            "engdb_pointing_quality": "PLANNED",
            "type": "PRIME_TARGETED_FIXED",
            "start_time": _spaced(timeline.start - hour),
            "status": "SUCCESSFUL",
            "total_exposures": 1,
            "internal_target": False,
            "too_visit": False,
            "tsovisit": spec.exp_type in _TIME_SERIES,
            "exp_only": False,
            "crowded_field": False,
        },
    )


def _target(spec: ExposureSpec) -> dict[str, Any]:
    return _prefixed(
        "target",
        {
            "proposer_name": "SIMULATED-FIELD",
            "catalog_name": "SIMULATED FIELD",
            "type": "FIXED",
            "category": "Calibration",
            "description": "Simulated field",
            "ra": spec.ra,
            "dec": spec.dec,
            "ra_uncertainty": 0.1,
            "dec_uncertainty": 0.1,
            "proper_motion_ra": 0.0,
            "proper_motion_dec": 0.0,
            "proper_motion_epoch": "2000-01-01 00:00:00",
            "proposer_ra": spec.ra,
            "proposer_dec": spec.dec,
            "source_type_apt": "UNKNOWN",
        },
    )


def _instrument(spec: ExposureSpec) -> dict[str, Any]:
    detector = spec.detector_description
    values: dict[str, Any] = {"name": spec.instrument, "detector": spec.detector}
    for element in ("filter", "pupil", "grating", "band"):
        if chosen := getattr(spec, element):
            values[element] = chosen
    if spec.instrument == "MIRI" and detector.channel:
        values["channel"] = detector.channel
    values |= _OF_INSTRUMENT.get(spec.instrument, {})
    found = _prefixed("instrument", values)
    if spec.instrument == "NIRCAM":
        found |= {"instrument.module": detector.module, "instrument.channel": detector.channel}
        for actuator in (1, 2, 3):
            found |= _prefixed("nircam_focus", {name.format(actuator): v for name, v in _ACTUATOR.items()})
    return found


# Keywords that only one instrument has, with usual values.
_OF_INSTRUMENT: dict[str, dict[str, Any]] = {
    "NIRCAM": {"pupil_imaging_lens": False, "coronagraph": "NONE"},
    "NIRISS": {"focus_position": 0.0, "filter_position": 0.0, "pupil_position": 245.77},
    "NIRSPEC": {
        "fixed_slit": "NONE",
        "focus_position": 0.0,
        "lamp_state": "NONE",
        "lamp_mode": "NONE",
        "msa_state": "PRIMARYPARK_ALLOPEN",
        "gwa_xtilt": 0.35,
        "gwa_ytilt": 0.13,
        "gwa_tilt": 39.8,
    },
    "MIRI": {"ccc_state": "OPEN"},
}
_ACTUATOR: dict[str, Any] = {
    "fam_la{}": 0,
    "fastep{}": 0,
    "faunit{}": 0.0,
    "faphase{}": "NULL",
    "fa{}value": 0,
}


def _exposure(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    delay = timeline.barycentric_delay / 86400
    return _prefixed(
        "exposure",
        {
            "count": 1,
            "prime_parallel": "PRIME",
            "type": spec.exp_type,
            "start_time": timeline.start,
            "mid_time": timeline.middle,
            "end_time": timeline.end,
            "start_time_mjd": timeline.start,
            "mid_time_mjd": timeline.middle,
            "end_time_mjd": timeline.end,
            "start_time_tdb": timeline.start + delay,
            "mid_time_tdb": timeline.middle + delay,
            "end_time_tdb": timeline.end + delay,
            "integration_time": timeline.integration_time,
            "exposure_time": timeline.exposure_time,
            "effective_exposure_time": timeline.exposure_time,
            "duration": timeline.duration,
            "elapsed_exposure_time": timeline.duration,
            "data_problem": False,
            "psf_reference": False,
            "self_reference_survey": False,
            "clock_adjust_rate": 0.0,
            "osf_file": "simulated_osf.xml",
        },
    )


def _readout(spec: ExposureSpec) -> dict[str, Any]:
    pattern, detector, subarray = spec.read_pattern, spec.detector_description, spec.subarray_description
    interleaved = {"nrs_normal": NORMAL, "nrs_reference": REFERENCE} if subarray.irs2 else {}
    return _prefixed(
        "exposure",
        {
            **interleaved,
            "readpatt": spec.readpatt,
            "noutputs": subarray.noutputs,
            "nints": spec.nints,
            "integration_start": 1,
            "integration_end": spec.nints,
            "segment_number": 1,
            "segment_total": 1,
            "ngroups": spec.ngroups,
            "nframes": pattern.nframes,
            "frame_divisor": spec.divisor,
            "groupgap": pattern.groupgap,
            "drop_frames1": 0,
            "drop_frames3": 0,
            "nsamples": subarray.nsamples,
            "sample_time": detector.sample_time_us,
            "frame_time": spec.frame_time,
            "group_time": spec.group_time,
            "nresets_at_start": 1,
            "nresets_between_ints": 1,
            "zero_frame": pattern.has_zeroframe,
            "sca_num": detector.sca_num,
            "datamode": 33,
        },
    )


def _subarray(spec: ExposureSpec) -> dict[str, Any]:
    subarray, detector = spec.subarray_description, spec.detector_description
    return _prefixed(
        "subarray",
        {
            "name": subarray.name,
            "xstart": subarray.xstart,
            "ystart": subarray.ystart,
            "xsize": subarray.xsize,
            "ysize": subarray.ysize,
            "fastaxis": detector.fastaxis,
            "slowaxis": detector.slowaxis,
        },
    )


def _dither() -> dict[str, Any]:
    return _prefixed(
        "dither",
        {
            "primary_type": "NONE",
            "primary_dither_type": "NONE",
            "primary_points": 1,
            "small_grid_pattern": "NONE",
            "position_number": 1,
            "total_points": 1,
            "subpixel_pattern": "NONE",
            "subpixel_total_points": 1,
            "x_offset": 0.0,
            "y_offset": 0.0,
        },
    )


def _pointing(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    subarray = spec.subarray_description
    aperture = subarray.aperture
    pointing = Pointing(aperture, spec.ra, spec.dec, spec.roll)
    ra_v1, dec_v1, pa_v3 = pointing.boresight()
    pc11, pc12, pc21, pc22 = pointing.rotation()
    return {
        "aperture.name": aperture.name,
        "aperture.pps_name": aperture.name,
        "aperture.position_angle": pointing.aperture_pa,
        "coordinates.reference_frame": "ICRS",
        "pointing.ra_v1": ra_v1,
        "pointing.dec_v1": dec_v1,
        "pointing.pa_v3": pa_v3,
        "velocity_aberration.va_ra_ref": spec.ra,
        "velocity_aberration.va_dec_ref": spec.dec,
        "velocity_aberration.scale_factor": float(
            np.sqrt((1 + timeline.radial_velocity / _LIGHT) / (1 - timeline.radial_velocity / _LIGHT))
        ),
        **_prefixed(
            "wcsinfo",
            {
                "wcsaxes": 2,
                "crpix1": aperture.x_sci_ref,
                "crpix2": aperture.y_sci_ref,
                "crval1": spec.ra,
                "crval2": spec.dec,
                "ctype1": "RA---TAN",
                "ctype2": "DEC--TAN",
                "cunit1": "deg",
                "cunit2": "deg",
                "cdelt1": aperture.x_sci_scale / 3600,
                "cdelt2": aperture.y_sci_scale / 3600,
                "pc1_1": pc11,
                "pc1_2": pc12,
                "pc2_1": pc21,
                "pc2_2": pc22,
                "s_region": pointing.footprint(subarray.xsize, subarray.ysize),
                "v2_ref": aperture.v2_ref,
                "v3_ref": aperture.v3_ref,
                "vparity": aperture.vparity,
                "v3yangle": aperture.v3_ideal_y_angle,
                "ra_ref": spec.ra,
                "dec_ref": spec.dec,
                "roll_ref": spec.roll,
                "velosys": -timeline.radial_velocity,
                "siaf_xref_sci": aperture.x_sci_ref,
                "siaf_yref_sci": aperture.y_sci_ref,
            },
        ),
    }


def _times(timeline: Timeline) -> dict[str, Any]:
    values: dict[str, Any] = {"bunit_data": "DN"}
    for kind, delay in (
        ("barycentric", timeline.barycentric_delay),
        ("heliocentric", timeline.heliocentric_delay),
    ):
        values |= {
            f"time.{kind}_correction": delay,
            f"time.{kind}_expstart": timeline.start + delay / 86400,
            f"time.{kind}_expmid": timeline.middle + delay / 86400,
            f"time.{kind}_expend": timeline.end + delay / 86400,
        }
    return values


def _ephemeris(timeline: Timeline) -> dict[str, Any]:
    ephemeris = timeline.ephemeris
    values: dict[str, Any] = {
        "reference_frame": "EME2000",
        "type": "Predicted",
        "time": timeline.middle,
    }
    # The velocity with respect to the Earth is that of the L2 point: it turns with the Earth's year.
    geocentric_speed = ephemeris.velocity * 1e3 * (1.5e6 / 1.496e8)
    for index, axis in enumerate("xyz"):
        values |= {
            f"spatial_{axis}_bary": float(ephemeris.position[index]),
            f"spatial_{axis}_geo": float(ephemeris.from_earth[index]) * 1e3,
            f"velocity_{axis}_bary": float(ephemeris.velocity[index]),
            f"velocity_{axis}_geo": float(geocentric_speed[index]),
        }
    return _prefixed("ephemeris", values)


def _guide_star(spec: ExposureSpec, timeline: Timeline) -> dict[str, Any]:
    hour = 1 / 24
    return _prefixed(
        "guidestar",
        {
            "gs_order": 1,
            "gs_start_time": _spaced(timeline.start - 0.8 * hour),
            "gs_stop_time": _spaced(timeline.start - 0.7 * hour),
            "gs_id": "S2ZZ000001",
            "gs_ra": spec.ra + 0.08,
            "gs_dec": spec.dec - 0.05,
            "gs_ura": 1e-4,
            "gs_udec": 1e-4,
            "gs_mag": 14.2,
            "gs_umag": 0.02,
            "gs_v3_pa_science": spec.roll,
            "gs_pcs_mode": "FINEGUIDE",
            "visit_end_time": _spaced(timeline.end + 0.1 * hour),
        },
    )
