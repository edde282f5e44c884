"""What a step is: a name, its keyword, its reference types, its parameters and a pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jwcal_interactive.arrays import References
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
    """

    name: str
    keyword: str
    references: tuple[str, ...]
    params: type[P]
    function: Callable[[StateIn, References, P, Tiles], StateOut]
    uncut: frozenset[str] = frozenset()

    def __call__(self, state: StateIn, refs: References, p: P, tiles: Tiles) -> StateOut:
        """Run the step."""
        return self.function(state, refs, p, tiles)

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
) -> Callable[[Callable[[StateIn, References, P, Tiles], StateOut]], StepDefinition[Any, P, Any]]:
    """Turn a function into a `StepDefinition`."""

    def wrap(
        function: Callable[[StateIn, References, P, Tiles], StateOut],
    ) -> StepDefinition[Any, P, Any]:
        return StepDefinition(name, keyword, references, params, function, frozenset(uncut))

    return wrap
