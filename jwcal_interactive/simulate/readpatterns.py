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
    sends_zeroframe : bool
        Whether the instrument sends the first frame on its own where it is averaged.
    """

    name: str
    nframes: int
    groupgap: int
    sends_zeroframe: bool = False

    @property
    def frames_per_group(self) -> int:
        """Frames from the start of a group to the start of the next one."""
        return self.nframes + self.groupgap

    @property
    def has_zeroframe(self) -> bool:
        """Whether the first frame is downlinked on its own (ZEROFRAM): only if it was averaged."""
        return self.sends_zeroframe and self.nframes > 1

    def frames_in_integration(self, ngroups: int) -> int:
        """Frames from the first read to the last; none is dropped after the last group."""
        return ngroups * self.nframes + (ngroups - 1) * self.groupgap


def _table(*rows: tuple[str, int, int], sends_zeroframe: bool = False) -> dict[str, ReadPattern]:
    return {name: ReadPattern(name, nframes, gap, sends_zeroframe) for name, nframes, gap in rows}


# JWST User Documentation, the page on readout patterns of each instrument: name, frames averaged, dropped.
READ_PATTERNS: dict[str, dict[str, ReadPattern]] = {
    "NIRCAM": _table(
        ("RAPID", 1, 0),
        ("BRIGHT1", 1, 1),
        ("BRIGHT2", 2, 0),
        ("SHALLOW2", 2, 3),
        ("SHALLOW4", 4, 1),
        ("MEDIUM2", 2, 8),
        ("MEDIUM8", 8, 2),
        ("DEEP2", 2, 18),
        ("DEEP8", 8, 12),
        sends_zeroframe=True,
    ),
    "NIRISS": _table(("NISRAPID", 1, 0), ("NIS", 4, 0), sends_zeroframe=True),
    "FGS": _table(("FGSRAPID", 1, 0), ("FGS", 4, 0)),
    "NIRSPEC": _table(("NRSRAPID", 1, 0), ("NRS", 4, 0), ("NRSIRS2RAPID", 1, 0), ("NRSIRS2", 5, 0)),
    "MIRI": _table(("FASTR1", 1, 0), ("SLOWR1", 1, 0)),
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
