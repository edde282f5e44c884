"""What the user chose: parameters and references that differ from the baseline, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The user's choices.

    Attributes
    ----------
    values : mapping of step to mapping of parameter to value
        Parameters that the user set, also where they equal the baseline.
    overrides : mapping of (step, reference type) to str
        File, or ``N/A``.
    """

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, step: str) -> Mapping[str, Any]:
        """Parameters that the user set for a step."""
        return self.values.get(step, {})

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
