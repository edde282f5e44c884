"""What can be chosen for the steps of a pipeline: settings are checked here, and turned into parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from jwcal_interactive.edits import INLINE_BOXES
from jwcal_interactive.errors import ParameterError
from jwcal_interactive.params import StepParams
from jwcal_interactive.recipes import Recipe
from jwcal_interactive.references.baseline import Baseline
from jwcal_interactive.references.book import NOT_APPLICABLE, ReferenceBook
from jwcal_interactive.session.history import Choice
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import get_step, users_of

__all__ = ["Choices"]


class Choices:
    """The parameters and references of a pipeline that a user can choose.

    Parameters
    ----------
    recipe : Recipe
    baseline : Baseline
        Parameters of the untouched pipeline.
    """

    def __init__(self, recipe: Recipe, baseline: Baseline) -> None:
        self.recipe = recipe
        self.base = baseline

    def index(self, step: str) -> int:
        """Place of a step in the pipeline.

        Raises
        ------
        ParameterError
            If there is no such step, or it is not part of the pipeline.
        """
        steps = self.recipe.steps
        if step not in steps:
            get_step(step)
            raise ParameterError(f"step {step} is not part of {self.recipe.alias}: {', '.join(steps)}.")
        return steps.index(step)

    def known(self, step: str) -> str:
        """Name of a step; raises as `index`."""
        return self.recipe.steps[self.index(step)]

    def baseline(self, step: str) -> StepParams:
        """Parameters of a step untouched."""
        return self.base.params[self.known(step)]

    def params(self, step: str, settings: Settings) -> StepParams:
        """Parameters of a step with some settings."""
        return self.baseline(step).model_copy(update=dict(settings.of(step)))

    def source(self, step: str, name: str, settings: Settings) -> Literal["default", "crds", "user"]:
        """Where the value of a parameter comes from."""
        if name in settings.of(step):
            return "user"
        return "crds" if (step, name) in self.base.origins else "default"

    def unlike_defaults(self, step: str, settings: Settings) -> dict[str, Choice]:
        """Parameters of a step that are not at their defaults, and where each value comes from."""
        return {
            name: Choice(
                value, "user" if name in settings.of(step) else self.base.origins.get((step, name), "default")
            )
            for name, value in self.params(step, settings).changed().items()
        }

    # --- new settings --------------------------------------------------------------------------------------

    def with_values(self, settings: Settings, step: str, values: Mapping[str, Any]) -> Settings:
        """Change parameters of a step.

        Raises
        ------
        ParameterError
            For an unknown step or parameter, or a value that is not allowed.
        """
        base = self.baseline(step)
        checked = type(base).build(step, {**base.model_dump(), **settings.of(step), **values})
        new = {k: getattr(checked, k) for k in values if k in type(base).model_fields}
        return settings.with_values(step, new) if new else settings

    def without_values(self, settings: Settings, step: str, names: tuple[str, ...]) -> Settings:
        """Return parameters of a step (all if none is named) to the baseline.

        Raises
        ------
        ParameterError
            For an unknown step or parameter.
        """
        model = type(self.baseline(step))
        for name in names:
            if name not in model.model_fields:
                model.build(step, {name: None})
        return settings.without_values(step, names)

    def with_override(
        self, settings: Settings, reftype: str, file: str | Path | None, step: str | None, book: ReferenceBook
    ) -> Settings:
        """Choose another reference, in one step or in all that use the type.

        Raises
        ------
        ParameterError
            If no step uses the type.
        ReferenceError
            If the file does not exist.
        """
        value = None if file is None else str(file)
        if value is not None and value.upper() != NOT_APPLICABLE:
            value = str(Path(value).resolve())
        for name in self._takers(reftype, step):
            settings = settings.with_override((name, reftype), value)
            book.path(name, reftype, settings.overrides)
        return settings

    def checked(self, settings: Settings) -> Settings:
        """Check settings from a file, but for edits; values come back in the types of the parameters.

        Raises
        ------
        ParameterError
            If a step, a parameter or a value does not exist in this version.
        """
        for step, values in settings.values.items():
            checked = type(self.baseline(step)).build(step, values)
            settings = settings.with_values(step, {name: getattr(checked, name) for name in values})
        for step, reftype in settings.overrides:
            self._takers(reftype, step)
        return settings

    def _takers(self, reftype: str, step: str | None) -> tuple[str, ...]:
        return users_of(reftype, self.recipe.steps if step is None else (self.known(step),))

    # --- as code -------------------------------------------------------------------------------------------

    def code(self, step: str, settings: Settings) -> str:
        """Lines of Python that make the choices for a step."""
        lines = []
        if values := settings.of(step):
            arguments = ", ".join(f"{k}={v!r}" for k, v in values.items())
            lines.append(f'session.set("{step}", {arguments})')
        for (name, reftype), file in settings.overrides.items():
            if name == step:
                lines.append(f'session.override("{reftype}", {json.dumps(file)}, step="{step}")')
        edits = settings.edits_after(step)
        if (count := sum(len(edit.boxes) for edit in edits)) <= INLINE_BOXES:
            lines += [edit.call() for edit in edits]
        else:
            lines.append(f'session.load_edits("FILE.json")  # of session.save_edits: {count} boxes')
        return "\n".join(lines)
