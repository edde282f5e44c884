"""Parameters of a step: one frozen model gives the panel, command line, notebook cell and error text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jwcal_interactive.errors import ParameterError

__all__ = ["ParamInfo", "StepParams", "param"]


def param(
    default: Any,
    *,
    help: str,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    slider: tuple[float, float] | None = None,
    file: bool | str = False,
    advanced: bool = False,
) -> Any:
    """Define one parameter of a step.

    Parameters
    ----------
    default : object
        Official default.
    help : str
        One sentence for the panel, the table of parameters and the exported notebook.
    unit : str
        Physical unit, e.g. ``"sigma"``, ``"DN"``, ``"s"``, ``"pixel"``; empty for a pure number or a switch.
    ge, gt, le : float, optional
        Allowed range.
    slider : (float, float), optional
        Range that a slider shows by default; any allowed value can still be typed.
    file : bool or str
        The text names an input file, which is read for the step (`StepParams.files`): ``True`` for images in
        FITS, a reference type such as ``"flat"`` for a file of that format, ``"tree"`` for an ASDF file that
        need not exist yet, ``"exposures"`` for files and folders, separated by commas, in which those are
        looked up that this exposure comes after.
    advanced : bool
        Rarely changed: panels show it apart from the others.
    """
    return Field(
        default,
        description=help,
        ge=ge,
        gt=gt,
        le=le,
        json_schema_extra={
            "unit": unit,
            "slider": list(slider) if slider else None,
            "file": file,
            "advanced": advanced,
        },
    )


_LISTS = {"ints": int, "floats": float}


@dataclass(frozen=True)
class ParamInfo:
    """What interfaces need to know of one parameter; made from the model, never written by hand."""

    name: str
    kind: Literal["bool", "int", "float", "str", "choice", "ints", "floats"]
    optional: bool
    default: Any
    help: str
    unit: str
    minimum: float | None
    exclusive_minimum: bool
    maximum: float | None
    choices: tuple[str, ...]
    slider: tuple[float, float] | None
    file: str = ""  # format of the file that it names: "image", or as in `param`; empty for all others
    length: int | None = None  # of a list (ints, floats) whose length is fixed
    advanced: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words, e.g. ``float >= 0`` or ``OLS_C | LIKELY``."""
        if self.kind == "choice":
            text = " | ".join(self.choices)
        else:
            text = "file name" if self.file else self._kind_in_words()
            if self.minimum is not None:
                text += f" {'>' if self.exclusive_minimum else '>='} {self.minimum:g}"
            if self.maximum is not None:
                text += f"{' and' if self.minimum is not None else ''} <= {self.maximum:g}"
        return text + (" or none" if self.optional else "")

    def _kind_in_words(self) -> str:
        if self.kind not in _LISTS:
            return self.kind
        member = "whole numbers" if self.kind == "ints" else "numbers"
        return f"{self.length or 'any number of'} {member}, with commas between them"


class StepParams(BaseModel):
    """Base of all parameter models: frozen, unknown names refused, only finite numbers.

    Class attributes
    ----------------
    without_effect : mapping of str to str
        Official parameters that are accepted (parameter files contain them) but have nothing to act on here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    without_effect: ClassVar[Mapping[str, str]] = {}

    skip: bool = param(False, help="Leave this step out.")

    @classmethod
    def infos(cls) -> tuple[ParamInfo, ...]:
        """Describe every parameter in the order of definition, ``skip`` first."""
        return tuple(_info(name, cls) for name in cls.model_fields)

    @classmethod
    def info(cls, name: str) -> ParamInfo:
        """Describe one parameter."""
        return _info(name, cls)

    @classmethod
    def build(cls, step: str, values: Mapping[str, Any]) -> StepParams:
        """Validate values (strings as on the command line are converted) into a model.

        Raises
        ------
        ParameterError
            Naming the step, the parameter, the value and what is allowed.
        """
        known = {
            name: _from_text(cls, name, value)
            for name, value in values.items()
            if name not in cls.without_effect
        }
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise ParameterError(_explain(step, cls, error)) from None

    def files(self) -> dict[str, str]:
        """Input files that parameters name, by parameter."""
        given = {info.name: getattr(self, info.name) for info in self.infos() if info.file}
        return {name: path for name, path in given.items() if path}

    def changed(self) -> dict[str, Any]:
        """Return the parameters that differ from their defaults."""
        fields = type(self).model_fields
        return {n: getattr(self, n) for n in fields if getattr(self, n) != fields[n].default}


def _from_text(cls: type[StepParams], name: str, value: Any) -> Any:
    """Value of text as on the command line, where pydantic would not take the text itself."""
    if not isinstance(value, str) or name not in cls.model_fields:
        return value
    info = _info(name, cls)
    if info.optional and value.strip().lower() in {"none", ""}:
        return None
    if info.kind in _LISTS:
        return [part.strip() for part in value.strip().strip("[]()").split(",") if part.strip()]
    return value


@cache  # looked at for every step whenever the state of one is asked for
def _info(name: str, cls: type[StepParams]) -> ParamInfo:
    definition = cls.model_fields[name]
    annotation: Any = definition.annotation
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        members = [a for a in get_args(annotation) if a is not type(None)]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0]
    choices: tuple[str, ...] = ()
    kind: Any
    length: int | None = None
    if get_origin(annotation) is Literal:
        kind, choices = "choice", tuple(str(a) for a in get_args(annotation))
    elif get_origin(annotation) is tuple:
        types = get_args(annotation)
        kind = next(k for k, member in _LISTS.items() if member is types[0])
        length = None if Ellipsis in types else len(types)
    else:
        kind = {bool: "bool", int: "int", float: "float", str: "str"}[annotation]
    bounds: dict[str, float] = {}
    for item in definition.metadata:
        for key in ("ge", "gt", "le"):
            value = getattr(item, key, None)
            if value is not None:
                bounds[key] = float(value)
    extra: Any = definition.json_schema_extra or {}
    minimum = bounds.get("ge", bounds.get("gt"))
    return ParamInfo(
        name=name,
        kind=kind,
        optional=optional,
        default=definition.default,
        help=definition.description or "",
        unit=extra.get("unit", ""),
        minimum=minimum,
        exclusive_minimum="gt" in bounds,
        maximum=bounds.get("le"),
        choices=choices,
        slider=_slider(extra.get("slider"), kind, bounds.get("gt")),
        file="image" if extra.get("file") is True else extra.get("file") or "",
        length=length,
        advanced=extra.get("advanced", False),
    )


def _slider(ends: list[float] | None, kind: str, above: float | None) -> tuple[float, float] | None:
    """Give the ends of a slider; where the lower one is not allowed, it begins a hundredth above it."""
    if not ends:
        return None
    low, high = ends
    if low == above:
        low += (high - low) / 100
        low = math.ceil(low) if kind == "int" else low
    return low, high


def _explain(step: str, cls: type[StepParams], error: ValidationError) -> str:
    problem = error.errors()[0]
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    if problem["type"] == "extra_forbidden":
        import difflib

        near = difflib.get_close_matches(name, cls.model_fields, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        known = ", ".join(cls.model_fields)
        return f"step {step} has no parameter {name!r}.{hint} Its parameters: {known}."
    info = _info(name, cls)
    unit = f" (unit: {info.unit})" if info.unit else ""
    value = problem["input"]
    shown = "NaN" if isinstance(value, float) and math.isnan(value) else repr(value)
    return f"{step}.{name} = {shown} is not allowed: it must be {info.allowed}{unit}. {info.help}"
