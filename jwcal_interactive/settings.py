"""What the user chose, as one immutable value: parameters and references unlike the baseline, edited flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jwcal_interactive.edits import FlagEdit

__all__ = ["Settings", "changes_in_words"]


@dataclass(frozen=True)
class Settings:
    """The user's choices.

    Attributes
    ----------
    values : mapping of step to mapping of parameter to value
        Parameters that the user set, also where they equal the baseline.
    overrides : mapping of (step, reference type) to str
        File, or ``N/A``.
    edits : tuple of FlagEdit
        Flags set and cleared by hand, in the order in which they are applied.
    """

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str], str] = field(default_factory=dict)
    edits: tuple[FlagEdit, ...] = ()

    def of(self, step: str) -> Mapping[str, Any]:
        """Parameters that the user set for a step."""
        return self.values.get(step, {})

    def edits_after(self, step: str) -> tuple[FlagEdit, ...]:
        """Edits of the flags of a step's result."""
        return tuple(edit for edit in self.edits if edit.after == step)

    def with_values(self, step: str, values: Mapping[str, Any]) -> Settings:
        """Set parameters of a step, on top of those set before."""
        return replace(self, values={**self.values, step: {**self.of(step), **values}})

    def without_values(self, step: str, names: tuple[str, ...]) -> Settings:
        """Forget parameters of a step; all of them if no names are given."""
        kept = {k: v for k, v in self.of(step).items() if names and k not in names}
        others = {k: v for k, v in self.values.items() if k != step}
        return replace(self, values={**others, step: kept} if kept else others)

    def with_override(self, key: tuple[str, str], file: str | None) -> Settings:
        """Set or (``None``) forget the reference of a type in a step."""
        others = {k: v for k, v in self.overrides.items() if k != key}
        return replace(self, overrides=others if file is None else {**others, key: file})

    def with_edits(self, *edits: FlagEdit) -> Settings:
        """Add edits of flags, to be applied after those that are there."""
        return replace(self, edits=(*self.edits, *edits))

    def without_edit(self, index: int) -> Settings:
        """Forget an edit of flags."""
        return replace(self, edits=self.edits[:index] + self.edits[index + 1 :])


def changes_in_words(before: Settings, after: Settings) -> str:
    """Tell what leads from one to the other, e.g. ``jump: rejection_threshold = 5.0``."""
    return "; ".join(_changes(before, after))


def _changes(before: Settings, after: Settings) -> Iterator[str]:
    for step in dict.fromkeys((*before.values, *after.values)):
        old, new = before.of(step), after.of(step)
        names = [n for n in dict.fromkeys((*old, *new)) if n not in new or n not in old or old[n] != new[n]]
        if names:
            yield f"{step}: " + ", ".join(f"{n} = {new[n]}" if n in new else f"{n} reset" for n in names)
    for key in dict.fromkeys((*before.overrides, *after.overrides)):
        if before.overrides.get(key) != after.overrides.get(key):
            step, reftype = key
            yield f"{step}: {reftype} reference = {after.overrides.get(key, 'as CRDS says')}"
    removed, added = Counter(before.edits), Counter(after.edits)
    for edit in (removed - added).elements():
        yield f"{edit.after}: edit removed ({edit.in_words()})"
    for edit in (added - removed).elements():
        yield f"{edit.after}: {edit.in_words()}"
