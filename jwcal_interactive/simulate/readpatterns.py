"""How frames become groups: the read patterns of the instruments, as data."""

from __future__ import annotations

from dataclasses import dataclass

from jwcal_interactive.errors import ParameterError

__all__ = ["READ_PATTERNS", "ReadPattern", "read_pattern"]


@dataclass(frozen=True)
class ReadPattern:
    """A read pattern: how many frames are averaged in a group, how many are dropped after it.

    Attributes
    ----------
    name : str
        The value of READPATT.
    nframes : int
        Frames averaged on board into one group (NFRAMES, and FRMDIVSR).
    groupgap : int
        Frames read but dropped between two groups (GROUPGAP).
    """

    name: str
    nframes: int
    groupgap: int

    @property
    def frames_per_group(self) -> int:
        """Frames from the start of a group to the start of the next one."""
        return self.nframes + self.groupgap

    @property
    def has_zeroframe(self) -> bool:
        """Whether the first frame is downlinked on its own (ZEROFRAM): only if it was averaged."""
        return self.nframes > 1

    def frames_in_integration(self, ngroups: int) -> int:
        """Frames from the first read to the last; none is dropped after the last group."""
        return ngroups * self.nframes + (ngroups - 1) * self.groupgap


# JWST User Documentation, "NIRCam Detector Readout Patterns", table 1.
_NIRCAM = (
    ReadPattern("RAPID", nframes=1, groupgap=0),
    ReadPattern("BRIGHT1", nframes=1, groupgap=1),
    ReadPattern("BRIGHT2", nframes=2, groupgap=0),
    ReadPattern("SHALLOW2", nframes=2, groupgap=3),
    ReadPattern("SHALLOW4", nframes=4, groupgap=1),
    ReadPattern("MEDIUM2", nframes=2, groupgap=8),
    ReadPattern("MEDIUM8", nframes=8, groupgap=2),
    ReadPattern("DEEP2", nframes=2, groupgap=18),
    ReadPattern("DEEP8", nframes=8, groupgap=12),
)

READ_PATTERNS: dict[str, dict[str, ReadPattern]] = {
    "NIRCAM": {pattern.name: pattern for pattern in _NIRCAM},
}


def read_pattern(instrument: str, name: str) -> ReadPattern:
    """Look a read pattern up.

    Raises
    ------
    ParameterError
        If the instrument has no such pattern; the message lists those it has.
    """
    patterns = READ_PATTERNS.get(instrument, {})
    if name not in patterns:
        raise ParameterError(
            f"readpatt={name!r}: no such read pattern for {instrument}; "
            f"allowed: {', '.join(patterns) or 'none yet'}."
        )
    return patterns[name]
