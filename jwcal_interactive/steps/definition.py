"""What a step is: a name, its keyword, its reference types, its parameters and a pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from jwcal_interactive.arrays import Exposure, Keyword, Ramp, Rates, References
from jwcal_interactive.cutouts import ALL, cut_ramp
from jwcal_interactive.params import StepParams
from jwcal_interactive.tiles import Tiles

__all__ = ["Kernels", "Look", "Reach", "StepDefinition", "step"]

StateIn = TypeVar("StateIn")
StateOut = TypeVar("StateOut")
P = TypeVar("P", bound=StepParams)

Reach: TypeAlias = int | Callable[[Exposure, References, Any], int | None] | None
"""How many rows and columns away a result depends on its input; ``None``: on the whole frame.

A callable gets the exposure, the references (of a single row), and the parameters.
"""

Kernels: TypeAlias = tuple[str, ...] | Callable[[Exposure, Any], tuple[str, ...]]
"""Modules of `jwcal_interactive.kernels`; a callable gets the exposure and the parameters."""


@dataclass(frozen=True)
class Look:
    """The ramp before a step, of which a survey asks for the parts that it needs.

    Attributes
    ----------
    exposure : Exposure
        Of the whole frame.
    frame : tuple of int
        Its rows and columns (ny, nx).
    part : callable
        ``part(rows, columns) -> Ramp``
    whole : bool
        The ramp is there as a whole, so that looking at all of it costs nothing.
    brightest : callable, optional
        Gives the row of the raw exposure with the highest value: ramps of all kinds are found there, also
        those that saturate early.
    """

    exposure: Exposure
    frame: tuple[int, ...]
    part: Callable[[slice, slice], Ramp]
    whole: bool = False
    brightest: Callable[[], int] | None = None

    @classmethod
    def at(cls, ramp: Ramp) -> Look:
        """Look at a ramp that is there as a whole."""
        return cls(
            ramp.exposure, ramp.data.shape[-2:], lambda rows, columns: cut_ramp(ramp, rows, columns), True
        )

    def __call__(self, rows: slice = ALL, columns: slice = ALL) -> Ramp:
        """Give contiguous rows and columns of the ramp, all integrations and groups."""
        return self.part(rows, columns)


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
        ``function(state, references, params, tiles) -> state``; pure: inputs are never changed. With a
        ``survey``, it gets the facts found by it as a fifth argument.
    uncut : frozenset of str
        Reference types that must match the subarray as they are, instead of being cut out of a larger frame.
    only_if : mapping of str to callable
        ``only_if[reftype](exposure, params)`` tells whether an exposure needs this type; the others always do.
    reach : int or callable or None
        How far it looks (`Reach`). A step with a reach can run on any part of the frame, by itself or after
        others, with the result of the whole frame; it raises `Skip` for all parts or for none.
    survey : callable, optional
        ``survey(look, references, params, tiles) -> facts`` finds what such a step must know of the whole
        frame beforehand; facts are small. It looks (`Look`) at no more of the ramp than it needs.
    finish : callable, optional
        ``finish(exposure, totals, facts, params) -> keywords`` makes keywords from the sums of what the
        function counted in each row (`Ramp.tallies`).
    confirm : callable, optional
        ``confirm(totals, facts)`` tells from the same sums whether what the survey took for granted of the
        whole frame, after a look at a part of it, is so. If not, the step runs again on the whole frame.
    revise : callable, optional
        ``revise(totals, facts) -> facts`` gives the facts that hold where `confirm` denies those that were
        taken for granted. The step runs again with them, in bands as before.
    kernels : tuple of str or callable
        Modules with the kernels that it may call (`Kernels`), which are compiled before it runs.
    """

    name: str
    keyword: str
    references: tuple[str, ...]
    params: type[P]
    function: Callable[..., StateOut]
    uncut: frozenset[str] = frozenset()
    only_if: Mapping[str, Callable[[Exposure, P], bool]] = field(default_factory=dict)
    reach: Reach = None
    survey: Callable[[Look, References, P, Tiles], Any] | None = None
    finish: Callable[[Exposure, Mapping[str, Any], Any, P], Mapping[str, Keyword]] | None = None
    confirm: Callable[[Mapping[str, Any], Any], bool] | None = None
    revise: Callable[[Mapping[str, Any], Any], Any] | None = None
    kernels: Kernels = ()

    def __call__(self, state: StateIn, refs: References, p: P, tiles: Tiles) -> StateOut:
        """Run the step on a whole frame."""
        facts = None
        if self.survey is not None:
            assert isinstance(state, Ramp)
            facts = self.survey(Look.at(state), refs, p, tiles)
        result: Any = self.apply(state, refs, p, tiles, facts)
        if isinstance(result, Ramp) and self.finish is not None:
            totals = {name: counts.sum(axis=0) for name, counts in result.tallies.items()}
            result = result.with_(tallies={}, keywords=self.finish(result.exposure, totals, facts, p))
        if isinstance(result, Rates):
            result = result.with_(tallies={})  # the survey has seen all of the frame
        return result  # type: ignore[no-any-return]

    def apply(self, state: StateIn, refs: References, p: P, tiles: Tiles, facts: Any) -> StateOut:
        """Run the function with what the survey found, on a whole frame or a part of it."""
        if self.survey is None:
            return self.function(state, refs, p, tiles)
        return self.function(state, refs, p, tiles, facts)

    def reach_for(self, exposure: Exposure, row: References, p: P) -> int | None:
        """How many rows and columns away a result depends on its input; ``None``: on the whole frame.

        ``row`` are the references of any single row.
        """
        return self.reach(exposure, row, p) if callable(self.reach) else self.reach

    def references_for(self, exposure: Exposure, p: P) -> tuple[str, ...]:
        """Name the reference types that the step needs for an exposure with these parameters."""
        return tuple(t for t in self.references if t not in self.only_if or self.only_if[t](exposure, p))

    def kernels_for(self, exposure: Exposure, p: P) -> tuple[str, ...]:
        """Name the modules with the kernels that the step may call for an exposure with these parameters."""
        return self.kernels(exposure, p) if callable(self.kernels) else self.kernels

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
    reach: Reach = None,
    survey: Callable[[Look, References, P, Tiles], Any] | None = None,
    finish: Callable[[Exposure, Mapping[str, Any], Any, P], Mapping[str, Keyword]] | None = None,
    confirm: Callable[[Mapping[str, Any], Any], bool] | None = None,
    revise: Callable[[Mapping[str, Any], Any], Any] | None = None,
    kernels: Kernels = (),
) -> Callable[[Callable[..., StateOut]], StepDefinition[Any, P, Any]]:
    """Turn a function into a `StepDefinition`; the arguments are its attributes."""

    def wrap(function: Callable[..., StateOut]) -> StepDefinition[Any, P, Any]:
        return StepDefinition(
            name,
            keyword,
            references,
            params,
            function,
            frozenset(uncut),
            only_if or {},
            reach,
            survey,
            finish,
            confirm,
            revise,
            kernels,
        )

    return wrap
