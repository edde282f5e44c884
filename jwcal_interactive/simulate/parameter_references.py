"""Parameter references (``pars-*``): which step parameters CRDS gives, as ASDF files."""

from __future__ import annotations

from pathlib import Path

from jwcal_interactive.simulate.references import USEAFTER
from jwcal_interactive.simulate.saving import save_whole

__all__ = ["JUMP_PARAMETERS", "PARS_TYPES", "write_jump_parameters"]

# Every type of parameter reference that the stage-1 and guider pipelines ask for.
PARS_TYPES = tuple(
    f"pars-{name}"
    for name in (
        "chargemigrationstep",
        "cleanflickernoisestep",
        "darkcurrentstep",
        "darkpipeline",
        "detector1pipeline",
        "dqinitstep",
        "emicorrstep",
        "firstframestep",
        "flatfieldstep",
        "gainscalestep",
        "groupscalestep",
        "guidercdsstep",
        "guiderpipeline",
        "ipcstep",
        "jumpstep",
        "lastframestep",
        "linearitystep",
        "persistencestep",
        "pictureframestep",
        "rampfitstep",
        "refpixstep",
        "resetstep",
        "rscdstep",
        "saturationstep",
        "superbiasstep",
    )
)

# Like the flight parameter references: stricter limits for ramps with few differences, and groups
# flagged for a while after a large jump.
JUMP_PARAMETERS: dict[str, float] = {
    "three_group_rejection_threshold": 6.5,
    "four_group_rejection_threshold": 5.5,
    "after_jump_flag_dn1": 1000.0,
    "after_jump_flag_time1": 15.0,
    "after_jump_flag_dn2": 5000.0,
    "after_jump_flag_time2": 60.0,
}


def write_jump_parameters(path: Path) -> Path:
    """Write the parameter reference of the NIRCam jump step.

    Parameters
    ----------
    path : Path
        Where.

    Returns
    -------
    Path
        The file.
    """
    import asdf

    tree = {
        "meta": {
            "author": "jwcal_interactive.simulate",
            "date": USEAFTER,
            "description": "Simulated parameters of the NIRCam jump step",
            "instrument": {"name": "NIRCAM"},
            "exposure": {"type": "NRC_IMAGE"},
            "origin": "jwcal_interactive.simulate",
            "pedigree": "SIMULATION",
            "reftype": "pars-jumpstep",
            "telescope": "JWST",
            "useafter": USEAFTER,
        },
        "class": "jwst.jump.jump_step.JumpStep",
        "name": "jump",
        "parameters": JUMP_PARAMETERS,
    }
    with asdf.AsdfFile(tree) as file:
        return save_whole(path, file.write_to)
