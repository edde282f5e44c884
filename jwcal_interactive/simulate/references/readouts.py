"""References that describe readouts: interleaved and side reference pixels, MIRI's groups and waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jwcal_interactive.simulate.emi import CLOCK, emi_case, frequencies_of, frequency, wave
from jwcal_interactive.simulate.irs2 import BadPair, bad_pairs, correction_filters
from jwcal_interactive.simulate.pixels import picture_frame
from jwcal_interactive.simulate.references.definition import ReferenceCase

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = ["emicorr", "has_interleaved", "pictureframe", "refpix", "rscd", "sirskernel"]

_SIDE_SMOOTHING = 4.0  # rows, sigma of the kernels for the side reference pixels
_MOST_WAVE_BINS = 500


def has_interleaved(case: ReferenceCase) -> bool:
    """Whether a readout interleaves reference pixels."""
    return case.subarray is not None and case.subarray.irs2


def refpix(case: ReferenceCase) -> ReferenceFileModel:
    """Tabulate alpha and beta of each output, real and imaginary parts in turn, and bad interleaved pixels."""
    from stdatamodels.jwst.datamodels import IRS2Model

    assert case.subarray is not None
    model = IRS2Model()
    filters = correction_filters(case.detector, case.subarray)
    rows = np.zeros(2 * filters[0].alpha.size, model.get_dtype("irs2_table"))
    for output, (alpha, beta) in enumerate(filters):
        rows[f"alpha_{output}"] = alpha.view(np.float32)
        rows[f"beta_{output}"] = beta.view(np.float32)
    model.irs2_table = rows
    model.dq_table = _bad_pair_rows(model.get_dtype("dq_table"), bad_pairs(case.detector)[1])
    model.meta.exposure.readpatt = case.subarray.readpatts[0]
    return model


def _bad_pair_rows(dtype: Any, pairs: tuple[BadPair, ...]) -> np.ndarray[Any, Any]:
    """Two rows per output; ODD_EVEN is counted in the order of reading, a bit of MASK is a visit."""
    rows = np.zeros(8, dtype)
    rows["OUTPUT"] = np.repeat(np.arange(1, 5), 2)
    rows["ODD_EVEN"] = np.tile([1, 2], 4)
    for pair in pairs:
        odd_even = pair.half + 1 if pair.output % 2 else 2 - pair.half
        row = 2 * (pair.output - 1) + odd_even - 1
        rows["MASK"][row] |= np.uint32(1 << pair.block)
    return rows


def sirskernel(case: ReferenceCase) -> ReferenceFileModel:
    """Spectra of the kernels that smooth the side reference pixels, for each output."""
    from stdatamodels.jwst.datamodels import SIRSKernelModel

    frequency = np.fft.rfftfreq(case.detector.ny)
    spectrum = 0.5 * np.exp(-2 * (np.pi * _SIDE_SMOOTHING * frequency) ** 2)
    model = SIRSKernelModel()
    both = {name: np.tile(spectrum, (4, 1)) for name in ("gamma", "zeta")}
    model[case.detector.name.lower()] = both
    return model


def pictureframe(case: ReferenceCase) -> ReferenceFileModel:
    """Thermal glow of the detector's frame, DN/s at unit strength."""
    from stdatamodels.jwst.datamodels import PictureFrameModel

    return PictureFrameModel(data=picture_frame(case.detector))


def rscd(case: ReferenceCase) -> ReferenceFileModel:
    """Tell how many groups to skip at the start of the first and of later integrations."""
    from stdatamodels.jwst.datamodels import RSCDModel

    effects = case.detector.mid_infrared
    assert effects is not None
    model = RSCDModel()
    rows = np.zeros(len(case.detector.subarrays), model.get_dtype("rscd_group_skip_table"))
    for row, subarray in zip(rows, case.detector.subarrays, strict=True):
        row["subarray"], row["readpatt"] = subarray.name, subarray.readpatts[0]
        row["group_skip1"], row["group_skip"] = effects.rscd_skip
    model.rscd_group_skip_table = rows
    return model


def emicorr(case: ReferenceCase) -> ReferenceFileModel:
    """Forms of the interfering waves, and the clocks and frequencies of each readout."""
    from stdatamodels.jwst.datamodels import EmiModel

    detector = case.detector
    frequencies: dict[str, Any] = {}
    cases: dict[str, Any] = {}
    for subarray in detector.subarrays:
        names = frequencies_of(detector, subarray)
        for name in names:
            period = 1 / frequency(name) / CLOCK
            bins = min(int(period / 2), _MOST_WAVE_BINS)
            form = wave((np.arange(bins) + 0.5) / bins)
            frequencies[name] = {"frequency": frequency(name), "phase_amplitudes": form.tolist()}
        slow = subarray.nsamples > 1
        cases[emi_case(subarray)] = {
            "rowclocks": subarray.row_clocks,
            "frameclocks": round(subarray.frame_time / CLOCK),
            "freqs": {"SLOW": {detector.name: list(names)}} if slow else {"FAST": list(names)},
        }
    model = EmiModel()
    model.frequencies = frequencies
    model.subarray_cases = cases
    return model
