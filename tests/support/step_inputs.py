"""Small random input for every step of stage 1, and what may be done to it: one place, to be extended.

A `Case` says what a step with a choice of parameters needs; `make` gives a `Problem` of any seed and size.
Pixels hold all brightnesses, jumps, saturation, zeros, NaN and infinite values, and flags; so do references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np

from jwcal_interactive.arrays import Card, Exposure, Ramp, Rates, Reference, Slopes, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.tiles import Tiles

__all__ = ["CASES", "LEFT_OUT", "Case", "Problem", "arrays_of", "make", "permuted", "run", "scaled"]

Frame = tuple[int, int]
MakeReference = Callable[[np.random.Generator, Exposure], Reference]

MIRI = {
    "instrument": "MIRI", "detector": "MIRIMAGE", "exp_type": "MIR_IMAGE", "readpatt": "FASTR1",
    "subarray": "SUB64", "fastaxis": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A step with some of its parameters.

    Attributes
    ----------
    step : str
    label : str
        What is special about it; empty for the plain case.
    params, facts, keywords : mapping
        Parameters, facts of the exposure, header keywords other than those of a small NIRCam subarray.
    pixelwise : bool
        Whether each pixel is treated by itself.
    shape : tuple of int, optional
        Smallest (nints, ngroups, ny, nx) that the step can take.
    sky : bool
        Whether it needs an even background, and finite values.
    linear : bool
        Whether results in DN follow the scale of the DN exactly, by powers of two.
    """

    step: str
    label: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Any] = field(default_factory=dict)
    pixelwise: bool = True
    shape: tuple[int, int, int, int] = (1, 5, 1, 1)
    sky: bool = False
    linear: bool = True

    @property
    def name(self) -> str:
        return f"{self.step}-{self.label}" if self.label else self.step


@dataclass(frozen=True)
class Problem:
    """Everything that a step is called with."""

    case: Case
    state: State
    references: Mapping[str, Reference | None]
    params: StepParams

    @property
    def frame(self) -> Frame:
        state = self.state
        ny, nx = (state.rate if isinstance(state, Rates) else state).data.shape[-2:]  # type: ignore[union-attr]
        return ny, nx


# --- making -------------------------------------------------------------------------------------------------


def make(case: Case, seed: int = 0, frame: Frame = (6, 7)) -> Problem:
    """Make a problem of a seed; the frame grows to what the case needs at least."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    nints, ngroups, ny, nx = case.shape
    shape = (nints, ngroups, max(ny, frame[0]), max(nx, frame[1]) if nx < 16 else nx)
    exposure = _exposure(case, shape)
    state: State = _ramp(rng, exposure, shape, case.sky)
    if case.step == "gain_scale":
        state = _rates(rng, exposure, shape)
    definition = STEPS[case.step]
    params = definition.params.build(case.step, {"skip": False, **case.params})
    types = definition.references_for(exposure, params)
    references: dict[str, Reference | None] = {t: _REFERENCES[t](rng, exposure) for t in types}
    references |= dict.fromkeys(info.name for info in params.infos() if info.file)
    return Problem(case, state, references, params)


def _exposure(case: Case, shape: tuple[int, int, int, int]) -> Exposure:
    nints, ngroups, ny, nx = shape
    facts = {
        "filename": "jw00001001001_01101_00001_nrcalong_uncal.fits", "instrument": "NIRCAM",
        "detector": "NRCALONG", "exp_type": "NRC_IMAGE", "readpatt": "RAPID", "subarray": "SUB64P",
        "xstart": 1, "ystart": 1, "xsize": nx, "ysize": ny, "fastaxis": -1, "slowaxis": 2, "nints": nints,
        "ngroups": ngroups, "nframes": 1, "groupgap": 0, "group_time": 8.0, "frame_time": 8.0,
        "frame_divisor": 1, "noutputs": 1, "zero_frame": False, "gain_factor": None,
    }  # fmt: skip
    keywords = {"EXPSTART": 60_000.0, **case.keywords}
    return Exposure(**(facts | case.facts), primary=tuple(Card(k, v, "") for k, v in keywords.items()))  # type: ignore[arg-type]


def _ramp(rng: np.random.Generator, exposure: Exposure, shape: tuple[int, int, int, int], sky: bool) -> Ramp:
    rate = rng.normal(100, 5, shape[2:]) if sky else 10.0 ** rng.uniform(0, 4, shape[2:])
    hits = rng.exponential(5000, shape) * (rng.random(shape) < 0.05)
    data = 9000 + np.cumsum(rng.poisson(rate, shape) + hits, axis=1) + rng.normal(0, 8, shape)
    data = np.rint(np.minimum(data, 60_000))
    for value in (0.0, np.nan) if sky else (0.0, np.nan, np.inf, -np.inf):
        data[rng.random(shape) < 0.004] = value
    pixeldq = np.zeros(shape[2:], np.uint32)
    for flag in (DQ.DO_NOT_USE, DQ.HOT, DQ.NO_LIN_CORR):
        pixeldq[rng.random(pixeldq.shape) < 0.03] |= np.uint32(flag)
    pixeldq[:, :4] |= np.uint32(DQ.REFERENCE_PIXEL)
    groupdq = np.zeros(shape, np.uint8)
    groupdq[:, -2:][data[:, -2:] > 50_000] |= np.uint8(DQ.SATURATED)
    groupdq[rng.random(shape) < 0.03] |= np.uint8(DQ.JUMP_DET)
    groupdq[rng.random(shape) < 0.01] |= np.uint8(DQ.DO_NOT_USE)
    zeroframe = np.rint(data[:, 0] * 0.9) if exposure.zero_frame else None
    return Ramp(
        exposure=exposure, data=data.astype(np.float32), groupdq=groupdq, pixeldq=pixeldq,
        zeroframe=None if zeroframe is None else zeroframe.astype(np.float32),
    )  # fmt: skip


def _rates(rng: np.random.Generator, exposure: Exposure, shape: tuple[int, ...]) -> Rates:
    def slopes(frame: tuple[int, ...]) -> Slopes:
        values = rng.normal(10, 3, (4, *frame)).astype(np.float32)
        values[:, rng.random(frame) < 0.1] = np.nan
        dq = (rng.random(frame) < 0.1).astype(np.uint32)
        return Slopes(data=values[0], err=values[1], dq=dq, var_poisson=values[2], var_rnoise=values[3])

    return Rates(exposure=exposure, rate=slopes(shape[2:]), rateints=slopes((shape[0], *shape[2:])))


def _reference(
    reftype: str, rng: np.random.Generator, exposure: Exposure, values: Any, nan: float = 0.03, **more: Any
) -> Reference:
    """Make a reference with some NaN and some flags, of images (…, ny, nx)."""
    data = np.asarray(values, np.float32).copy()
    frame = exposure.ysize, exposure.xsize
    data[..., rng.random(frame) < nan] = np.nan
    dq = np.zeros(frame, np.uint32)
    for flag in (DQ.DO_NOT_USE, DQ.NO_SAT_CHECK, DQ.NO_LIN_CORR, DQ.HOT):
        dq[rng.random(frame) < 0.03] |= np.uint32(flag)
    return Reference(reftype=reftype, name=f"jwst_{reftype}_0001.fits", data=data, dq=dq, **more)


def _image(reftype: str, low: float, high: float) -> MakeReference:
    def make_image(rng: np.random.Generator, e: Exposure) -> Reference:
        return _reference(reftype, rng, e, rng.uniform(low, high, (e.ysize, e.xsize)))

    return make_image


def _mask(rng: np.random.Generator, e: Exposure) -> Reference:
    flags = rng.integers(0, 8, (e.ysize, e.xsize)).astype(np.uint32)
    return Reference(reftype="mask", name="jwst_mask_0001.fits", data=flags, dq=flags)


def _linearity(rng: np.random.Generator, e: Exposure) -> Reference:
    shape = (4, e.ysize, e.xsize)
    powers = np.array([0.0, 1.0, 1e-6, 1e-12])[:, None, None]
    coefficients = powers * rng.uniform(0.9, 1.1, shape)
    inverse = np.array([0.0, 1.0, -1e-6, 1e-12])[:, None, None] * rng.uniform(0.9, 1.1, shape)
    arrays = {"INV_COEFFS": inverse.astype(np.float32)}
    return _reference("linearity", rng, e, coefficients, arrays=arrays)


def _dark(rng: np.random.Generator, e: Exposure) -> Reference:
    groups = e.ngroups * e.nframes + (e.ngroups - 1) * e.groupgap
    leading = (2, groups) if e.instrument == "MIRI" else (groups,)
    values = np.cumsum(rng.uniform(0, 3, (*leading, e.ysize, e.xsize)), axis=-3)
    return _reference("dark", rng, e, values, keywords={"NFRAMES": 1, "GROUPGAP": 0})


def _reset(rng: np.random.Generator, e: Exposure) -> Reference:
    return _reference("reset", rng, e, rng.normal(0, 20, (2, 4, e.ysize, e.xsize)))


def _ipc(rng: np.random.Generator, e: Exposure) -> Reference:
    kernel = rng.uniform(-0.01, 0, (3, 3)).astype(np.float32)
    kernel[1, 1] = 1 - kernel.sum() + kernel[1, 1]
    return Reference(reftype="ipc", name="jwst_ipc_0001.fits", data=kernel)


def _rscd(rng: np.random.Generator, e: Exposure) -> Reference:
    kinds = [("subarray", "S20"), ("readpatt", "S20"), ("group_skip1", "i4"), ("group_skip", "i4")]
    table = np.array([(e.subarray, e.readpatt, 1, 2)], kinds)
    none = np.empty((0, 0), np.float32)
    return Reference(reftype="rscd", name="jwst_rscd_0001.fits", data=none, tables={"RSCD_GROUP_SKIP": table})


def _emicorr(rng: np.random.Generator, e: Exposure) -> Reference:
    case = {"rowclocks": 28, "frameclocks": 8512, "freqs": {"FAST": ["Hz219"]}}
    wave = np.sin(2 * np.pi * (np.arange(20) + 0.5) / 20) + rng.normal(0, 0.1, 20)
    tree = {
        "frequencies": {"Hz219": {"frequency": 218.52055, "phase_amplitudes": wave}},
        "subarray_cases": {e.subarray: case},
    }
    none = np.empty((0, 0), np.float32)
    return Reference(reftype="emicorr", name="jwst_emicorr_0001.asdf", data=none, tree=tree)


_REFERENCES: dict[str, MakeReference] = {
    "dark": _dark,
    "emicorr": _emicorr,
    "gain": _image("gain", 1.0, 3.0),
    "ipc": _ipc,
    "linearity": _linearity,
    "mask": _mask,
    "readnoise": _image("readnoise", 4.0, 12.0),
    "reset": _reset,
    "rscd": _rscd,
    "saturation": _image("saturation", 30_000, 58_000),
    "superbias": _image("superbias", 8_900, 9_100),
}


# --- running and changing -----------------------------------------------------------------------------------


def run(problem: Problem, tiles: Tiles | None = None) -> State | str:
    """Run the step; the reason if it is skipped."""
    try:
        return STEPS[problem.case.step](  # type: ignore[no-any-return]
            problem.state, problem.references, problem.params, tiles or Tiles(threads=1)
        )
    except Skip as skip:
        return str(skip)


def arrays_of(thing: Any, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """All arrays in a container, or mapping or tuple of containers, with their names."""
    if isinstance(thing, np.ndarray):
        yield prefix, thing
    elif isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from arrays_of(value, f"{prefix}.{key}")
    elif isinstance(thing, tuple):
        for index, value in enumerate(thing):
            yield from arrays_of(value, f"{prefix}.{index}")
    elif is_dataclass(thing) and not isinstance(thing, Exposure):
        for f in fields(thing):
            yield from arrays_of(getattr(thing, f.name), f"{prefix}.{f.name}")


def _changed(thing: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Copy a container with its arrays changed, and those in its mappings and containers."""
    if isinstance(thing, np.ndarray):
        return change(thing)
    if isinstance(thing, Mapping):
        return {key: _changed(value, change) for key, value in thing.items()}
    if is_dataclass(thing) and not isinstance(thing, (Exposure, type)):
        parts = {f.name: getattr(thing, f.name) for f in fields(thing)}
        return replace(thing, **{k: _changed(v, change) for k, v in parts.items() if k != "keywords"})
    return thing


def permuted(thing: Any, frame: Frame, order: np.ndarray) -> Any:
    """Put the pixels of all arrays (…, ny, nx) of a container in another order."""

    def change(array: np.ndarray) -> np.ndarray:
        if array.shape[-2:] != frame:
            return array
        flat = array.reshape(*array.shape[:-2], -1)
        return np.ascontiguousarray(flat[..., order]).reshape(array.shape)

    return _changed(thing, change)


# How the arrays of references follow the scale s of the DN: factors s to this power.
_POWERS = {
    "dark": 1, "gain": -1, "readnoise": 1, "reset": 1, "saturation": 1, "superbias": 1, "ipc": 0, "mask": 0,
    "rscd": 0, "emicorr": 0,
}  # fmt: skip


def scaled(problem: Problem, scale: float) -> Problem:
    """Give the same problem in other units: DN of ``1 / scale`` of the former size, the same electrons."""
    scale32 = np.float32(scale)
    state = problem.state
    assert isinstance(state, Ramp)
    zeroframe = None if state.zeroframe is None else state.zeroframe * scale32
    references = {t: r and _scaled_reference(r, scale) for t, r in problem.references.items()}
    in_dn = {info.name for info in problem.params.infos() if info.unit == "DN"}
    values = {n: v * scale for n in in_dn if (v := getattr(problem.params, n)) is not None}
    return replace(
        problem,
        state=state.with_(data=state.data * scale32, zeroframe=zeroframe),
        references=references,
        params=problem.params.model_copy(update=values),
    )


def _scaled_reference(ref: Reference, scale: float) -> Reference:
    if ref.reftype == "linearity":
        arrays = {name: _scaled_polynomial(a, scale) for name, a in ref.arrays.items()}
        return replace(ref, data=_scaled_polynomial(ref.data, scale), arrays=arrays)
    power = _POWERS[ref.reftype]
    return replace(ref, data=ref.data * np.float32(scale**power)) if power else ref


def _scaled_polynomial(coefficients: np.ndarray, scale: float) -> np.ndarray:
    powers = np.float32(scale) ** (1 - np.arange(len(coefficients), dtype=np.float32))
    return coefficients * powers[:, None, None]


# --- what is tested -----------------------------------------------------------------------------------------

AVERAGED = {"nframes": 4, "groupgap": 1, "frame_divisor": 4, "readpatt": "SHALLOW4", "zero_frame": True}
MANY = (2, 14, 1, 1)  # integrations and groups

CASES: tuple[Case, ...] = (
    Case("group_scale", facts={"nframes": 5, "frame_divisor": 8}),
    Case("dq_init"),
    Case("saturation", "alone", {"n_pix_grow_sat": 0}, {"zero_frame": True}),
    Case("saturation", "averaged", {"n_pix_grow_sat": 0}, AVERAGED),
    Case("saturation", "growing", facts=AVERAGED, pixelwise=False),
    Case("ipc", pixelwise=False, shape=(1, 3, 9, 12)),
    Case("superbias", facts={"zero_frame": True}),
    Case("refpix", "subarray", pixelwise=False, shape=(2, 3, 8, 8)),
    Case("firstframe", facts=MIRI),
    Case("firstframe", "bright", {"bright_use_group1": True}, MIRI),
    Case("lastframe", facts=MIRI),
    Case("reset", facts=MIRI, shape=(3, 6, 1, 1)),
    Case("linearity", facts={"zero_frame": True}),
    Case("linearity", "averaged", facts=AVERAGED),
    Case("rscd", facts=MIRI, shape=(2, 9, 1, 1)),
    Case("dark_current"),
    Case("dark_current", "averaged", facts=AVERAGED),
    Case("dark_current", "miri", facts=MIRI, shape=(3, 5, 1, 1)),
    Case("charge_migration", pixelwise=False),
    Case("jump", "alone", {"flag_4_neighbors": False}),
    Case("jump", "one pass", {"flag_4_neighbors": False}, shape=MANY),
    Case("jump", "many integrations", {"flag_4_neighbors": False, "minimum_sigclip_groups": 6},
         shape=(7, 4, 1, 1)),
    Case("jump", "after", {"flag_4_neighbors": False, "after_jump_flag_dn1": 500,
                           "after_jump_flag_time1": 16.0}),
    Case("jump", "neighbours", pixelwise=False, shape=MANY),
    Case("jump", "large events", {"expand_large_events": True, "find_showers": True, "min_jump_area": 4.0},
         pixelwise=False, shape=(1, 12, 9, 9)),
    Case("persistence", params={"persistence_time": 20, "dn_threshold": 30_000}, shape=(3, 5, 1, 1)),
    Case("ramp_fit"),
    Case("ramp_fit", "many groups", facts=AVERAGED, shape=MANY),
    Case("ramp_fit", "range", {"firstgroup": 1, "lastgroup": 3}),
    Case("ramp_fit", "likely", {"algorithm": "LIKELY"}, shape=(2, 8, 1, 1)),
    Case("gain_scale", facts={"gain_factor": 2.5}),
    Case("large_events", params={"min_radius": 0.5, "max_gap": 6}, pixelwise=False, shape=(1, 5, 9, 12)),
    Case("clean_flicker_noise", pixelwise=False, sky=True, shape=(2, 4, 24, 24)),
    Case("clean_flicker_noise", "median image", {"background_method": "median_image"}, pixelwise=False,
         sky=True, shape=(2, 4, 24, 24)),
    Case("amplifier_noise", params={"grow": 0, "n_sigma": 10.0}, pixelwise=False, sky=True,
         shape=(2, 4, 24, 24)),
    Case("emicorr", "joint", facts=MIRI, pixelwise=False, shape=(2, 5, 24, 24)),
    Case("emicorr", "sequential", {"algorithm": "sequential", "nbins": 8}, MIRI, pixelwise=False,
         shape=(1, 6, 24, 24), linear=False),
)  # fmt: skip

LEFT_OUT = {
    "picture_frame": "full frames of 2048 x 2048 pixels only",
    "visit_persistence": "reads other exposures",
}
