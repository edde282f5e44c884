"""Flags edited by hand: which bit, in which pixels, integrations and groups, after which step."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError

__all__ = ["INLINE_BOXES", "Box", "FlagEdit", "Layout", "apply_edits", "boxes_of", "check_edit", "mask_of"]

Box: TypeAlias = tuple[int, int, int, int]
"""``(x0, y0, x1, y1)``: columns x0 to x1 - 1 and rows y0 to y1 - 1 of the arrays, from 0."""

Span: TypeAlias = tuple[int, int]
"""``(first, last)``: first to last - 1, from 0."""

INLINE_BOXES = 40
"""Up to so many boxes are written out in texts and code; more go into a file or are named by their number."""

_GROUP_BITS = 0xFF  # GROUPDQ has eight bits


@dataclass(frozen=True)
class FlagEdit:
    """One flag, set or cleared by hand in the result of a step.

    Attributes
    ----------
    after : str
        Step whose result is edited; the steps after it see the edited flags.
    flag : str
        Official name, e.g. ``"DO_NOT_USE"``.
    action : {"set", "clear"}
    boxes : tuple of (x0, y0, x1, y1)
        Half-open, in pixels of the arrays (from 0).
    integrations : (first, last) or None
        Half-open, from 0; all by default.
    groups : (first, last) or None
        Half-open, from 0. Of a ramp: ``None`` edits PIXELDQ, anything else GROUPDQ. Rates have no groups; their
        DQ is edited, of the exposure and of all integrations, or only of the integrations that are named.
    """

    after: str
    flag: str
    action: Literal["set", "clear"]
    boxes: tuple[Box, ...]
    integrations: Span | None = None
    groups: Span | None = None

    def __hash__(self) -> int:
        return hash(self.sha256)  # there may be many boxes, and it is asked for often

    @property
    def bit(self) -> int:
        """Value of the flag."""
        return int(DQ[self.flag])

    @cached_property
    def npixels(self) -> int:
        """Number of pixels in the boxes, each counted once."""
        x1, y1 = (max(box[i] for box in self.boxes) for i in (2, 3))
        return int(np.count_nonzero(mask_of(self.boxes, (y1, x1))))

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of all that the edit says."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def in_words(self) -> str:
        """One line, e.g. ``JUMP_DET set in groups 2:5, 4 pixels in x 10:12, y 30:32``."""
        where = [f"integrations {_slice(self.integrations)}"] if self.integrations else []
        where += [f"groups {_slice(self.groups)}"] if self.groups else []
        if len(self.boxes) <= 3:
            places = "; ".join(f"x {x0}:{x1}, y {y0}:{y1}" for x0, y0, x1, y1 in self.boxes)
        else:
            places = f"{len(self.boxes)} boxes, SHA-256 {self.sha256[:16]}"
        verb = "set" if self.action == "set" else "cleared"
        count = f"{self.npixels} pixel{'s' if self.npixels > 1 else ''} in {places}"
        return f"{self.flag} {verb} in {', '.join([*where, count])}"

    def call(self) -> str:
        """Give the call of `Session.edit_flags` that makes this edit."""
        arguments = [repr(self.after), repr(self.flag), f"boxes={list(self.boxes)!r}"]
        arguments += ["clear=True"] if self.action == "clear" else []
        arguments += [f"integrations={self.integrations!r}"] if self.integrations else []
        arguments += [f"groups={self.groups!r}"] if self.groups else []
        return f"session.edit_flags({', '.join(arguments)})"

    def cut(self, window: Box) -> FlagEdit | None:
        """Give the edit for a cut-out of the frame, in pixels of the cut-out; ``None`` if none is left.

        Parameters
        ----------
        window : (x0, y0, x1, y1)
            Half-open, in pixels of the frame.
        """
        left, low, right, high = window
        moved = (
            (max(x0, left) - left, max(y0, low) - low, min(x1, right) - left, min(y1, high) - low)
            for x0, y0, x1, y1 in self.boxes
        )
        boxes = tuple(box for box in moved if box[0] < box[2] and box[1] < box[3])
        return replace(self, boxes=boxes) if boxes else None

    def as_json(self) -> dict[str, Any]:
        """Plain types only."""
        return {
            "after": self.after,
            "flag": self.flag,
            "action": self.action,
            "boxes": [list(box) for box in self.boxes],
            "integrations": None if self.integrations is None else list(self.integrations),
            "groups": None if self.groups is None else list(self.groups),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FlagEdit:
        """Inverse of `as_json`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the data are not those of an edit.
        """
        if data["action"] not in ("set", "clear"):
            raise ValueError(f"action {data['action']!r}")
        spans = {name: data[name] for name in ("integrations", "groups")}
        return cls(
            after=str(data["after"]),
            flag=str(data["flag"]),
            action=data["action"],
            boxes=tuple(_whole_numbers(box, 4) for box in data["boxes"]),
            **{name: None if span is None else _whole_numbers(span, 2) for name, span in spans.items()},
        )


@dataclass(frozen=True)
class Layout:
    """What an edit has to fit: the kind of a state, and how many integrations, groups and pixels it has."""

    kind: Literal["ramp", "rates", "guider slopes"]
    nints: int
    ngroups: int
    ny: int
    nx: int

    @classmethod
    def of(cls, state: State) -> Layout:
        """Layout of a state."""
        if isinstance(state, Ramp):
            return cls("ramp", *state.data.shape)
        if isinstance(state, Rates):
            nints, ny, nx = state.rateints.data.shape
            return cls("rates", nints, 0, ny, nx)
        nints, ny, nx = state.data.shape
        return cls("guider slopes", nints, 0, ny, nx)


def check_edit(edit: FlagEdit, layout: Layout) -> None:
    """Refuse an edit that does not fit the state that it is for.

    Raises
    ------
    ParameterError
        Naming what is wrong, and what is allowed.
    """
    where = f"flag edit after {edit.after}"
    _check_kind(edit, layout, where)
    _check_flag(edit, where)
    if edit.groups is not None:
        _check_span("groups", edit.groups, layout.ngroups, where)
    if edit.integrations is not None:
        _check_span("integrations", edit.integrations, layout.nints, where)
    if not edit.boxes:
        raise ParameterError(
            f"{where}: no pixel is chosen. Give at least one box, or a mask that is not empty."
        )
    for box in edit.boxes:
        x0, y0, x1, y1 = box
        if not (0 <= x0 < x1 <= layout.nx and 0 <= y0 < y1 <= layout.ny):
            raise ParameterError(
                f"{where}: box {box} is not possible: it must be (x0, y0, x1, y1) with 0 <= x0 < x1 <= "
                f"{layout.nx} and 0 <= y0 < y1 <= {layout.ny}, pixels of the arrays, the last ones excluded."
            )


def _check_kind(edit: FlagEdit, layout: Layout, where: str) -> None:
    if layout.kind == "ramp":
        if edit.groups is None and edit.integrations is not None:
            raise ParameterError(
                f"{where}: integrations = {edit.integrations} without groups is not possible: PIXELDQ has one "
                f"value for all integrations. Give groups = (0, {layout.ngroups}) to flag all groups of them."
            )
    elif edit.groups is not None:
        raise ParameterError(
            f"{where}: groups = {edit.groups} is not possible: the result of {edit.after} is {layout.kind}, "
            "which have no groups. Leave groups out, or edit the flags after a step before the fit."
        )
    elif layout.kind == "guider slopes" and edit.integrations is not None:
        raise ParameterError(
            f"{where}: integrations = {edit.integrations} is not possible: guider slopes have one DQ for all "
            "integrations. Leave integrations out."
        )


def _check_flag(edit: FlagEdit, where: str) -> None:
    names = DQ.__members__
    allowed = [name for name, flag in names.items() if edit.groups is None or flag & _GROUP_BITS]
    if edit.flag in allowed:
        return
    if edit.flag in names:
        raise ParameterError(
            f"{where}: flag {edit.flag} cannot be in GROUPDQ, which has eight bits: {', '.join(allowed)}. "
            "Leave groups out to edit it in PIXELDQ."
        )
    near = difflib.get_close_matches(edit.flag.upper(), allowed, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ParameterError(f"{where}: there is no flag {edit.flag!r}.{hint} The flags: {', '.join(allowed)}.")


def _check_span(name: str, span: Span, size: int, where: str) -> None:
    first, last = span
    if not 0 <= first < last <= size:
        raise ParameterError(
            f"{where}: {name} = {span} is not possible: it must be (first, last) with 0 <= first < last <= "
            f"{size}; they count from 0, the last one is excluded."
        )


def apply_edits(state: State, edits: Iterable[FlagEdit]) -> State:
    """Set and clear flags of a state, one edit after the other.

    Only flags change: values and errors stay as they are, also where DO_NOT_USE is set or cleared in rates.

    Parameters
    ----------
    state : Ramp, Rates or GuiderSlopes
        It is not changed.
    edits : iterable of FlagEdit

    Returns
    -------
    Ramp, Rates or GuiderSlopes
        The state itself if there are no edits; what is not edited is shared.

    Raises
    ------
    ParameterError
        If an edit does not fit the state.
    """
    edits = tuple(edits)
    layout = Layout.of(state)
    for edit in edits:
        check_edit(edit, layout)
    if isinstance(state, Ramp):
        groups = [e for e in edits if e.groups is not None]
        pixels = [e for e in edits if e.groups is None]
        if groups:
            state = state.with_(groupdq=_edited(state.groupdq, groups))
        if pixels:
            state = state.with_(pixeldq=_edited(state.pixeldq, pixels))
    elif edits and isinstance(state, Rates):
        whole = [e for e in edits if e.integrations is None]
        state = state.with_(
            rate=state.rate.with_(dq=_edited(state.rate.dq, whole)) if whole else state.rate,
            rateints=state.rateints.with_(dq=_edited(state.rateints.dq, edits)),
        )
    elif edits and isinstance(state, GuiderSlopes):
        state = state.with_(dq=_edited(state.dq, edits))
    return state


def _edited(flags: NDArray[Any], edits: Iterable[FlagEdit]) -> NDArray[Any]:
    flags = flags.copy()
    for edit in edits:
        part = flags
        if flags.ndim > 2 and edit.integrations is not None:
            part = part[slice(*edit.integrations)]
        if flags.ndim > 3 and edit.groups is not None:
            part = part[:, slice(*edit.groups)]
        bit = flags.dtype.type(edit.bit)
        for x0, y0, x1, y1 in edit.boxes:
            if edit.action == "set":
                part[..., y0:y1, x0:x1] |= bit
            else:
                part[..., y0:y1, x0:x1] &= ~bit
    return flags


def boxes_of(mask: NDArray[np.bool_]) -> tuple[Box, ...]:
    """Cover the pixels of a mask, and no others, with boxes that do not overlap.

    Runs along rows that begin and end in the same columns are joined; the same is tried along columns, and the
    shorter list is returned.

    Parameters
    ----------
    mask : bool (ny, nx)

    Returns
    -------
    tuple of (x0, y0, x1, y1)
        Sorted by y0, then x0.

    Raises
    ------
    ParameterError
        If it is not a two-dimensional array of bool.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ParameterError(
            f"mask: {mask.dtype} of shape {mask.shape} is not possible: it must be a bool array (ny, nx)."
        )
    y, x = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if y.size == 0:
        return ()
    used = mask[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
    rows = _joined_runs(used)
    columns = _joined_runs(used.T)[:, [1, 0, 3, 2]]
    boxes = (columns if len(columns) < len(rows) else rows) + [x[0], y[0], x[0], y[0]]
    order = np.lexsort((boxes[:, 0], boxes[:, 1]))
    return tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in boxes[order].tolist())


def _joined_runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Boxes (n, 4) of runs along rows, those in adjacent rows with the same ends joined."""
    edges = np.diff(mask.astype(np.int8), axis=1, prepend=0, append=0)
    y, x0 = np.nonzero(edges == 1)
    x1 = np.nonzero(edges == -1)[1]
    order = np.lexsort((y, x1, x0))
    y, x0, x1 = y[order], x0[order], x1[order]
    begins = np.ones(y.size, bool)
    begins[1:] = (x0[1:] != x0[:-1]) | (x1[1:] != x1[:-1]) | (y[1:] != y[:-1] + 1)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], y.size) - 1
    return np.stack((x0[first], y[first], x1[first], y[last] + 1), axis=1)


def mask_of(boxes: Iterable[Box], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Mask (ny, nx) of the pixels in boxes; inverse of `boxes_of`."""
    mask = np.zeros(shape, bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def _slice(span: Span) -> str:
    return f"{span[0]}:{span[1]}"


def _whole_numbers(values: Sequence[Any], count: int) -> Any:
    """Tuple of ``count`` whole numbers.

    Raises
    ------
    TypeError, ValueError
        If they are not.
    """
    numbers = tuple(int(v) for v in values)
    if len(numbers) != count or any(isinstance(v, (bool, str)) or int(v) != v for v in values):
        raise ValueError(f"{list(values)!r} are not {count} whole numbers")
    return numbers
