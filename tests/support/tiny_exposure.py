"""A small exposure and its references, so that a whole calibration takes a fraction of a second.

64 x 64 pixels in the corner of the detector (with reference pixels on two sides), 2 integrations of 5 groups.
The references lie in a CRDS cache of their own, whose mappings name every type that the pipelines ask for.
"""

from __future__ import annotations

import hashlib
import pprint
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

SIZE, NGROUPS, NINTS = 64, 5, 2
GROUP_TIME = 0.27  # s
RAW_NAME = "jw00042001001_02101_00001_nrcalong_uncal.fits"
CONTEXT = "jwst_0007.pmap"

_PIPELINE_TYPES = [
    "chargemigrationstep",
    "cleanflickernoisestep",
    "darkcurrentstep",
    "detector1pipeline",
    "dqinitstep",
    "flatfieldstep",
    "gainscalestep",
    "groupscalestep",
    "guidercdsstep",
    "guiderpipeline",
    "ipcstep",
    "jumpstep",
    "linearitystep",
    "persistencestep",
    "pictureframestep",
    "rampfitstep",
    "refpixstep",
    "saturationstep",
    "superbiasstep",
]

# Types that only the official pipeline asks for.
_NOT_USED = [
    "dflat",
    "emicorr",
    "fflat",
    "flat",
    "pastasoss",
    "pictureframe",
    "refpix",
    "reset",
    "rscd",
    "sflat",
    "sirskernel",
]

METADATA: dict[str, Any] = {
    "telescope": "JWST", "origin": "tests", "filename": RAW_NAME, "date": "2024-03-15T09:00:00.000",
    "instrument.name": "NIRCAM", "instrument.detector": "NRCALONG", "instrument.channel": "LONG",
    "instrument.module": "A", "instrument.filter": "F356W", "instrument.pupil": "CLEAR",
    "exposure.type": "NRC_IMAGE", "exposure.readpatt": "RAPID", "exposure.nints": NINTS,
    "exposure.ngroups": NGROUPS, "exposure.nframes": 1, "exposure.groupgap": 0, "exposure.frame_divisor": 1,
    "exposure.group_time": GROUP_TIME, "exposure.frame_time": GROUP_TIME, "exposure.noutputs": 1,
    "exposure.zero_frame": False, "exposure.integration_start": 1, "exposure.integration_end": NINTS,
    "exposure.drop_frames1": 0, "exposure.start_time": 60384.3,
    "subarray.name": "SUB64P", "subarray.xstart": 1, "subarray.ystart": 1, "subarray.xsize": SIZE,
    "subarray.ysize": SIZE, "subarray.fastaxis": -1, "subarray.slowaxis": 2,
    "observation.date": "2024-03-15", "observation.time": "08:30:00.000", "observation.program_number": "00042",
    "target.ra": 53.1, "target.dec": -27.8, "target.catalog_name": "TEST FIELD",
    "wcsinfo.ra_ref": 53.1, "wcsinfo.dec_ref": -27.8, "wcsinfo.s_region": "POLYGON ICRS  1 2 3 4 5 6 7 8",
    "visit.tsovisit": False,
}  # fmt: skip


def write_raw(path: Path, *, seed: int = 0) -> Path:
    """Write the level-1b file; with metadata that no FITS keyword holds, too."""
    from stdatamodels.jwst.datamodels import Level1bModel

    rng = np.random.default_rng(seed)
    rate = rng.uniform(0, 200, (SIZE, SIZE)) + 2000 * (rng.random((SIZE, SIZE)) < 0.02)
    rate[:4], rate[:, :4] = 0, 0  # reference pixels
    signal = np.cumsum(rng.poisson(rate, (NINTS, NGROUPS, SIZE, SIZE)), axis=1)
    signal[1, 3:, 20, 30] += 5000  # a cosmic ray
    model = Level1bModel()
    model.data = np.clip(10_000 + signal + rng.normal(0, 5, signal.shape), 0, 65535).astype(np.uint16)
    model.data[0, :, 40, 40] = 65535
    for name, value in METADATA.items():
        model[f"meta.{name}"] = value
    model.int_times = np.zeros(NINTS, model.get_dtype("int_times"))
    model.int_times["integration_number"] = np.arange(1, NINTS + 1)
    model.group = np.zeros(NINTS * NGROUPS, model.get_dtype("group"))
    model.meta.only_in_asdf = {"names": ["a", "b"], "number": 2.5}
    model.save(path)
    model.close()
    return path


def edit(path: Path, changes: Mapping[str, Any], *, hdu: str | int = 0) -> Path:
    """Change keywords of a file in place; `None` removes one."""
    with fits.open(path, mode="update") as hdus:
        for keyword, value in changes.items():
            if value is None:
                del hdus[hdu].header[keyword]
            else:
                hdus[hdu].header[keyword] = value
    return path


def write_reference(folder: Path, reftype: str, *, name: str = "", size: int = SIZE, **keywords: Any) -> Path:
    """Write one reference of the exposure's subarray, with flags in bits of its own."""
    rng = np.random.default_rng(len(reftype))
    frame = (size, size)
    header = fits.Header()
    facts = {
        "TELESCOP": "JWST", "REFTYPE": reftype.upper(), "INSTRUME": "NIRCAM", "DETECTOR": "NRCALONG",
        "SUBARRAY": "SUB64P", "SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": size, "SUBSIZE2": size, "FASTAXIS": -1,
        "SLOWAXIS": 2, "USEAFTER": "2021-01-01T00:00:00", "PEDIGREE": "DUMMY", "DESCRIP": "for tests",
        "AUTHOR": "tests", "DATAMODL": _MODELS[reftype],
    }  # fmt: skip
    if reftype == "dark":
        facts |= {"NGROUPS": NGROUPS, "NFRAMES": 1, "GROUPGAP": 0}
    for keyword, value in (facts | keywords).items():
        if value is not None:
            header[keyword] = value
    arrays: dict[str, np.ndarray] = {}
    if reftype == "gain":
        arrays["SCI"] = np.full(frame, 2.0, np.float32)
    elif reftype == "readnoise":
        arrays["SCI"] = np.full(frame, 7.0, np.float32)
    elif reftype == "saturation":
        arrays["SCI"] = np.full(frame, 60_000, np.float32)
    elif reftype == "superbias":
        arrays["SCI"] = rng.normal(10_000, 1, frame).astype(np.float32)
    elif reftype == "dark":
        arrays["SCI"] = np.cumsum(np.full((NGROUPS, *frame), 0.01, np.float32), axis=0)
    elif reftype == "linearity":
        arrays["COEFFS"] = np.zeros((3, *frame), np.float32)
        arrays["COEFFS"][1] = 1
    elif reftype == "ipc":
        arrays["SCI"] = np.array([[0, -0.01, 0], [-0.01, 1.04, -0.01], [0, -0.01, 0]], np.float32)
    if reftype in ("mask", "saturation", "superbias", "dark", "linearity"):
        arrays["DQ"] = np.zeros(frame, np.uint32)
        arrays["DQ"][10, 10:12] = (1, 2)  # bits 0 and 1, defined below
    if reftype == "mask":
        arrays["DQ"][:4] = arrays["DQ"][:, :4] = 4
    hdus = fits.HDUList([fits.PrimaryHDU(header=header)])
    for extension, array in arrays.items():
        hdus.append(fits.ImageHDU(array, name=extension))
    if "DQ" in arrays:
        hdus.append(dq_def({0: "HOT", 1: "DO_NOT_USE", 2: "REFERENCE_PIXEL"}))
    path = folder / (name or f"jwst_nircam_{reftype}_0001.fits")
    hdus.writeto(path, overwrite=True)
    return path


def dq_def(names: Mapping[int, str]) -> fits.BinTableHDU:
    """The table that says which flag a bit stands for."""
    rows = np.array(
        [(bit, 1 << bit, name, name.lower()) for bit, name in names.items()],
        dtype=[("BIT", ">i4"), ("VALUE", ">u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")],
    )
    return fits.BinTableHDU(rows, name="DQ_DEF")


_MODELS = {
    "mask": "MaskModel", "gain": "GainModel", "readnoise": "ReadnoiseModel", "saturation": "SaturationModel",
    "superbias": "SuperBiasModel", "dark": "DarkModel", "linearity": "LinearityModel", "ipc": "IPCModel",
}  # fmt: skip
REFTYPES = tuple(_MODELS)


def write_parameters(path: Path, tree: Mapping[str, Any]) -> Path:
    """Write a parameter reference (ASDF)."""
    import asdf

    asdf.AsdfFile(dict(tree)).write_to(path)
    return path


def build_crds_cache(
    root: Path, *, pars: Mapping[str, Mapping[str, Any]] | None = None, context: str = CONTEXT
) -> Path:
    """Write a CRDS cache that resolves the exposure's references, and parameter references if given.

    Parameters
    ----------
    root : Path
        For CRDS_PATH.
    pars : mapping of type (``pars-jumpstep``) to ASDF tree
        Parameter references.
    context : str
        Name of the context.
    """
    number = context.removeprefix("jwst_").removesuffix(".pmap")
    references = root / "references" / "jwst" / "nircam"
    references.mkdir(parents=True)
    files = {reftype: write_reference(references, reftype).name for reftype in REFTYPES}
    for reftype, tree in (pars or {}).items():
        name = f"jwst_nircam_{reftype}_0001.asdf"
        files[reftype] = write_parameters(references / name, tree).name
    mappings = root / "mappings" / "jwst"
    mappings.mkdir(parents=True)
    types = dict.fromkeys((*(f"pars-{t}" for t in _PIPELINE_TYPES), *_NOT_USED), "N/A")
    for reftype, file in files.items():
        name = f"jwst_nircam_{reftype}_{number}.rmap"
        header = {
            "filekind": reftype.upper(), "instrument": "NIRCAM", "mapping": "REFERENCE", "name": name,
            "parkey": (("META.INSTRUMENT.DETECTOR",), ("META.OBSERVATION.DATE", "META.OBSERVATION.TIME")),
        }  # fmt: skip
        selector = f"Match({{('NRCALONG',): UseAfter({{'2021-01-01 00:00:00': {file!r}}})}})"
        _write_mapping(mappings / name, header, selector)
        types[reftype] = name
    imap = f"jwst_nircam_{number}.imap"
    instrument = {"instrument": "NIRCAM", "mapping": "INSTRUMENT", "name": imap, "parkey": ("REFTYPE",)}
    _write_mapping(mappings / imap, instrument, pprint.pformat({k.upper(): v for k, v in types.items()}))
    pipeline = {"mapping": "PIPELINE", "name": context, "parkey": ("META.INSTRUMENT.NAME",)}
    _write_mapping(mappings / context, pipeline, repr({"NIRCAM": imap}))
    config = root / "config" / "jwst"
    config.mkdir(parents=True)
    server = {"observatory": "jwst", "operational_context": context, "bad_files_list": [], "last_synced": ""}
    (config / "server_config").write_text(repr(server))
    (config / "ref_cache_subdir_mode").write_text("instrument\n")
    return root


def _write_mapping(path: Path, header: Mapping[str, Any], selector: str) -> None:
    entries = {**header, "derived_from": "tests", "description": "tests", "observatory": "JWST"}
    head = "header = {\n" + "".join(f"    {k!r} : {entries[k]!r},\n" for k in sorted(entries))
    tail = "}\n\nselector = " + selector + "\n"
    checksum = hashlib.sha1((head + tail).encode(), usedforsecurity=False).hexdigest()
    path.write_text(f"{head}    'sha1sum' : {checksum!r},\n{tail}")


def replace_card(path: Path, keyword: str, text: str) -> Path:
    """Put a value that astropy would not write into the first card of a keyword."""
    content = path.read_bytes()
    start = content.index(f"{keyword:8}=".encode())
    card = f"{keyword:8}= {text:>20}".ljust(80).encode()
    path.write_bytes(content[:start] + card + content[start + 80 :])
    return path
