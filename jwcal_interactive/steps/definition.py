"""What a step is: a name, its keyword, its reference types, its parameters and a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from jwcal_interactive.arrays import Exposure, References
from jwcal_interactive.params import StepParams
from jwcal_interactive.tiles import Tiles

__all__ = ["StepDefinition", "step"]

StateIn = TypeVar("StateIn")
StateOut = TypeVar("StateOut")
P = TypeVar("P", bound=StepParams)


@dataclass(frozen=True)
class StepDefinition(Generic[StateIn, P, StateOut]):
    """One calibration step.

    Attributes
    ----------
    name : str
        Official step name.
    keyword : str
        Keyword of the product that tells its outcome, e.g. ``S_JUMP``.
    references : tuple of str
        Reference types that are looked up and passed to the function (``None`` where CRDS says N/A).
    params : type
        Parameter model.
    function : callable
        ``function(state, references, params, tiles) -> state``; pure: inputs are never changed.
    uncut : frozenset of str
        Reference types that must match the subarray as they are, instead of being cut out of a larger frame.
    only_if : mapping of str to callable
        ``only_if[reftype](exposure, params)`` tells whether an exposure needs this type; the others always do.
    """

    name: str
    keyword: str
    references: tuple[str, ...]
    params: type[P]
    function: Callable[[StateIn, References, P, Tiles], StateOut]
    uncut: frozenset[str] = frozenset()
    only_if: Mapping[str, Callable[[Exposure, P], bool]] = field(default_factory=dict)

    def __call__(self, state: StateIn, refs: References, p: P, tiles: Tiles) -> StateOut:
        """Run the step."""
        return self.function(state, refs, p, tiles)

    def references_for(self, exposure: Exposure, p: P) -> tuple[str, ...]:
        """Reference types that the step needs for an exposure with these parameters."""
        return tuple(t for t in self.references if t not in self.only_if or self.only_if[t](exposure, p))

    @property
    def summary(self) -> str:
        """First line of the documentation of the step."""
        return (self.function.__doc__ or "").strip().split("\n")[0]


def step(
    name: str,
    *,
    keyword: str,
    params: type[P],
    references: tuple[str, ...] = (),
    uncut: tuple[str, ...] = (),
    only_if: Mapping[str, Callable[[Exposure, P], bool]] | None = None,
) -> Callable[[Callable[[StateIn, References, P, Tiles], StateOut]], StepDefinition[Any, P, Any]]:
    """Turn a function into a `StepDefinition`."""

    def wrap(
        function: Callable[[StateIn, References, P, Tiles], StateOut],
    ) -> StepDefinition[Any, P, Any]:
        return StepDefinition(name, keyword, references, params, function, frozenset(uncut), only_if or {})

    return wrap
