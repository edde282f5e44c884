"""Parameters of jump."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jwcal_interactive.params import StepParams, param

__all__ = ["JumpParams"]


class JumpParams(StepParams):
    """Parameters of jump."""

    rejection_threshold: float = param(
        4.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="Flag differences further than this from the median, with four or more usable ones.",
    )
    three_group_rejection_threshold: float = param(
        6.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="The same for ramps of three usable groups (two differences).",
    )
    four_group_rejection_threshold: float = param(
        5.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="The same for ramps of four usable groups (three differences).",
    )
    flag_4_neighbors: bool = param(True, help="Flag the four adjacent pixels of a jump, too.")
    max_jump_to_flag_neighbors: float = param(
        1000.0,
        advanced=True,
        unit="sigma",
        slider=(0.0, 2000.0),
        help="Jumps above this do not flag their neighbours.",
    )
    min_jump_to_flag_neighbors: float = param(
        10.0,
        advanced=True,
        unit="sigma",
        slider=(0.0, 100.0),
        help="Jumps below this do not flag their neighbours.",
    )
    after_jump_flag_dn1: float = param(
        0.0, advanced=True, unit="DN", help="Jumps of at least this size flag groups for after_jump_flag_time1."
    )
    after_jump_flag_time1: float = param(
        0.0, advanced=True, ge=0, unit="s", help="Time to flag after jumps of after_jump_flag_dn1; 0 is off."
    )
    after_jump_flag_dn2: float = param(
        0.0, advanced=True, unit="DN", help="Jumps of at least this size flag groups for after_jump_flag_time2."
    )
    after_jump_flag_time2: float = param(
        0.0, advanced=True, ge=0, unit="s", help="Time to flag after jumps of after_jump_flag_dn2; 0 is off."
    )
    min_diffs_single_pass: int = param(
        10,
        advanced=True,
        ge=0,
        slider=(1, 50),
        help="With fewer differences per integration, jumps are found one at a time, largest first.",
    )
    minimum_groups: int = param(
        3,
        advanced=True,
        ge=0,
        slider=(3, 20),
        help="Fewest usable groups; the step is skipped below, and always below 3.",
    )
    minimum_sigclip_groups: int = param(
        100,
        advanced=True,
        ge=0,
        slider=(2, 500),
        help="From this number of integrations on, differences are sigma-clipped across them "
        "(from this number of groups of all integrations, if only_use_ints is off).",
    )
    only_use_ints: bool = param(
        True,
        advanced=True,
        help="Sigma clipping compares a difference with the same one of the other integrations, "
        "instead of all differences of the pixel.",
    )

    expand_large_events: bool = param(
        False, help="Flag the surroundings of snowballs (near-infrared detectors)."
    )
    min_sat_area: float = param(1.0, ge=0, unit="pixel", help="Snowballs: smallest area of the saturated core.")
    min_jump_area: float = param(
        5.0, ge=0, unit="pixel", slider=(0.0, 100.0), help="Snowballs: smallest area with jumps."
    )
    expand_factor: float = param(
        2.0,
        ge=0,
        slider=(1.0, 5.0),
        help="Snowballs: factor for the minor axis; the major axis grows by as many pixels.",
    )
    sat_required_snowball: bool = param(
        True,
        advanced=True,
        help="Snowballs need a saturated core; otherwise all areas with jumps grow, and no cores do.",
    )
    min_sat_radius_extend: float = param(
        2.5,
        advanced=True,
        ge=0,
        unit="pixel",
        slider=(0.0, 20.0),
        help="Snowballs: cores whose minor full axis is longer than this grow.",
    )
    sat_expand: int = param(
        2, ge=0, unit="pixel", slider=(0, 20), help="Snowballs: added to both semi-axes of cores that grow."
    )
    edge_size: int = param(
        25,
        advanced=True,
        ge=0,
        unit="pixel",
        slider=(0, 100),
        help="Snowballs need no saturated core if centred closer than this to the edge of the array.",
    )
    mask_snowball_core_next_int: bool = param(
        True, advanced=True, help="Snowballs: flag the grown cores in the next integration, too."
    )
    snowball_time_masked_next_int: int = param(
        4000,
        advanced=True,
        ge=0,
        unit="s",
        help="Snowballs: time for which cores are flagged in the next integration.",
    )
    find_showers: bool = param(False, help="Flag faint extended showers (mid-infrared detectors).")
    max_shower_amplitude: float = param(
        4.0,
        advanced=True,
        ge=0,
        unit="DN/s",
        slider=(0.0, 20.0),
        help="Showers: pixels whose rate would change by more than this are left as they were.",
    )
    extend_snr_threshold: float = param(
        1.2,
        ge=0,
        unit="sigma",
        slider=(0.0, 5.0),
        help="Showers: smallest mean deviation of a difference over a ring of pixels.",
    )
    extend_min_area: int = param(
        90,
        advanced=True,
        ge=0,
        unit="pixel",
        slider=(0, 500),
        help="Showers: smallest area above the threshold.",
    )
    extend_inner_radius: float = param(
        1.0, advanced=True, ge=0, unit="pixel", help="Showers: inner radius of the ring."
    )
    extend_outer_radius: float = param(
        2.6,
        advanced=True,
        gt=0,
        unit="pixel",
        help="Showers: width of the ring (not its outer radius, in spite of its name).",
    )
    extend_ellipse_expand_ratio: float = param(
        1.1,
        advanced=True,
        ge=0,
        slider=(1.0, 3.0),
        help="Showers: factor for the minor axis; the major axis grows by as many pixels.",
    )
    time_masked_after_shower: float = param(
        15.0, advanced=True, ge=0, unit="s", slider=(0.0, 100.0), help="Showers: time to flag after each."
    )
    max_extended_radius: int = param(
        200,
        advanced=True,
        ge=0,
        unit="pixel",
        help="Snowballs and showers: longest semi-axis of what is flagged.",
    )

    without_effect: ClassVar[Mapping[str, str]] = {
        "use_ellipses": "deprecated; ellipses are always used, as in the official code",
        "maximum_cores": "threads are set for the whole run",
    }
