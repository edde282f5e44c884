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
        help="Flag differences of adjacent groups that are further than this, in units of their photon and "
        "read noise, from the median of the pixel; for ramps with four or more usable differences.",
    )
    three_group_rejection_threshold: float = param(
        6.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="rejection_threshold for ramps of three usable groups (two differences), whose median says "
        "little.",
    )
    four_group_rejection_threshold: float = param(
        5.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="rejection_threshold for ramps of four usable groups (three differences).",
    )
    flag_4_neighbors: bool = param(
        True, help="Flag the four pixels beside a jump, too: some of its charge shows there."
    )
    max_jump_to_flag_neighbors: float = param(
        1000.0,
        advanced=True,
        unit="sigma",
        slider=(0.0, 2000.0),
        help="Largest jump whose neighbours are flagged.",
    )
    min_jump_to_flag_neighbors: float = param(
        10.0,
        advanced=True,
        unit="sigma",
        slider=(0.0, 100.0),
        help="Smallest jump whose neighbours are flagged; below it, next to no charge shows there.",
    )
    after_jump_flag_dn1: float = param(
        0.0,
        advanced=True,
        unit="DN",
        help="After jumps of at least this size, the pixel is flagged for after_jump_flag_time1 more, while "
        "it settles.",
    )
    after_jump_flag_time1: float = param(
        0.0,
        advanced=True,
        ge=0,
        unit="s",
        help="How long a pixel is flagged after jumps of at least after_jump_flag_dn1; 0 flags the jump only.",
    )
    after_jump_flag_dn2: float = param(
        0.0,
        advanced=True,
        unit="DN",
        help="A second size, as a rule a larger one, after which the pixel is flagged for "
        "after_jump_flag_time2.",
    )
    after_jump_flag_time2: float = param(
        0.0,
        advanced=True,
        ge=0,
        unit="s",
        help="How long a pixel is flagged after jumps of at least after_jump_flag_dn2; 0 flags the jump only.",
    )
    min_diffs_single_pass: int = param(
        10,
        advanced=True,
        ge=0,
        slider=(1, 50),
        help="With fewer usable differences per integration than this, jumps are found one at a time, "
        "largest first, each time with a new median; with as many or more, all at once, which is "
        "faster.",
    )
    minimum_groups: int = param(
        3,
        advanced=True,
        ge=0,
        slider=(3, 20),
        help="Fewest usable groups of an integration; with fewer, and always with fewer than 3, the step is "
        "skipped.",
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
        False,
        help="Find snowballs, large round hits with a saturated core, and flag their surroundings; for "
        "near-infrared detectors.",
    )
    min_sat_area: float = param(
        1.0,
        ge=0,
        unit="pixel",
        help="Snowballs: smallest area of the core, pixels that become saturated with the jump.",
    )
    min_jump_area: float = param(
        5.0,
        ge=0,
        unit="pixel",
        slider=(0.0, 100.0),
        help="Snowballs: smallest connected area of jumps that counts as an event.",
    )
    expand_factor: float = param(
        2.0,
        ge=0,
        slider=(1.0, 5.0),
        help="Snowballs: flag an ellipse whose minor axis is the event's times this; the major axis grows by "
        "as many pixels.",
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
        help="Snowballs: how long from its start the next integration is flagged where the cores were.",
    )
    find_showers: bool = param(
        False,
        help="Find showers, faint extended clouds of charge that no single pixel shows, and flag them; for "
        "mid-infrared detectors.",
    )
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
        help="Showers: pixels belong to one where the deviations of a difference from the median, averaged "
        "over a ring of pixels, exceed this.",
    )
    extend_min_area: int = param(
        90,
        advanced=True,
        ge=0,
        unit="pixel",
        slider=(0, 500),
        help="Showers: smallest connected area above extend_snr_threshold that counts as one.",
    )
    extend_inner_radius: float = param(
        1.0,
        advanced=True,
        ge=0,
        unit="pixel",
        help="Showers: inner radius of the ring over which deviations are averaged.",
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
        help="Showers: flag an ellipse whose minor axis is the shower's times this; the major axis grows by "
        "as many pixels.",
    )
    time_masked_after_shower: float = param(
        15.0,
        advanced=True,
        ge=0,
        unit="s",
        slider=(0.0, 100.0),
        help="Showers: how long the ellipse is flagged after the group of the shower.",
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
