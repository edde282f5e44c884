"""Calibrating without a session: one file in, products out, nothing kept in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.io.atomic import Together, writable_folder
from jwcal_interactive.io.user_files import existing_file
from jwcal_interactive.opening import Opened, open_exposure
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import SKIP_IS_SET, Outcome, Watch, compile_kernels
from jwcal_interactive.planning import Plan, fit_memory, plan_run
from jwcal_interactive.provenance import Making, ProductOutput, write_side_products
from jwcal_interactive.recipes import Recipe, recipe_names
from jwcal_interactive.runner import Opener, Runner
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS, get_step

__all__ = ["Calibrated", "calibrate"]


def _ignore(_what: object) -> None:
    """Sink for those who do not watch."""


def _go_on(_plan: Plan) -> bool:
    """Run, whatever the plan."""
    return True


@dataclass(frozen=True)
class Calibrated:
    """What `calibrate` did: the files written, the outcome of each step, and notes for the user."""

    products: tuple[Path, ...]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]


def calibrate(
    path: str | Path,
    name: str | None = None,
    *,
    output_dir: str | Path | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    context: str | None = None,
    save_calibrated_ramp: bool = False,
    save_results: Collection[str] = (),
    memory_limit: int | None = None,
    on_plan: Callable[[Plan], bool] = _go_on,
    watch: Watch | None = None,
    on_outcome: Callable[[Outcome], None] = _ignore,
    on_message: Callable[[str], None] = _ignore,
) -> Calibrated:
    """Run a pipeline, or one step, on one exposure and write the products.

    Parameters
    ----------
    path : str or Path
        Level-1b or ramp FITS file.
    name : str, optional
        Pipeline (``detector1``, ``calwebb_detector1``…) or step (``jump``); by default the pipeline for the
        exposure.
    output_dir : str or Path, optional
        Folder for the products; by default the current folder, as officially.
    params : mapping, optional
        ``{step: {parameter: value}}``.
    overrides : mapping, optional
        ``{step: {reference type: file or "N/A"}}``.
    context : str, optional
        ``"demo"`` or a CRDS context.
    save_calibrated_ramp : bool
        Also write the ramp before ``ramp_fit``, with suffix ``_ramp``.
    save_results : collection of str
        Steps whose result is also written, with the name of the step as suffix.
    memory_limit : int, optional
        Bytes of memory that the process may take. Bands of rows are made as low as it needs.
    on_plan : callable, optional
        Told the plan, with the predicted peak of memory, before the first step; the run ends there if it
        returns false.
    watch : Watch, optional
        Progress, threads and cancellation.
    on_outcome : callable, optional
        Told the outcome of each step as it ends.
    on_message : callable, optional
        Told what happens before the first step (references, compiling).

    Returns
    -------
    Calibrated

    Raises
    ------
    JwcalError
        With what is wrong and what to do; no product is left half-written.
    """
    watch = watch or Watch()
    pipeline, step = _what(name)
    settings = _settings(params or {}, overrides or {})
    opened = open_exposure(
        path, pipeline=pipeline, context=context, alone=step is not None, progress=on_message
    )
    folder = writable_folder(Path.cwd() if output_dir is None else output_dir)
    steps = opened.recipe.steps
    if step is not None:
        if step not in steps:
            raise InputError(
                f"{path}: step {step} is not part of {opened.recipe.alias}, the pipeline of this exposure."
            )
        if step == "gain_scale":
            raise InputError(
                f"{path}: gain_scale works on count rates that ramp_fit has just made; run detector1."
            )
        steps = (step,)
    _refuse_done(opened, steps)
    effective = _effective(opened, settings)
    _find_references(opened, settings, effective, steps)
    return _run(
        opened,
        effective,
        settings,
        steps,
        folder,
        watch,
        on_outcome,
        on_message,
        save_ramp=save_calibrated_ramp,
        save_results=frozenset(get_step(name).name for name in save_results),
        alone=step,
        memory_limit=memory_limit,
        on_plan=on_plan,
    )


def _refuse_done(opened: Opened, steps: tuple[str, ...]) -> None:
    """Refuse to apply a step to a product that it has been applied to already."""
    done = [s for s in steps if opened.exposure.keyword(STEPS[s].keyword) == "COMPLETE"]
    if done:
        keywords = ", ".join(f"{STEPS[s].keyword} = COMPLETE" for s in done)
        raise InputError(
            f"{opened.path}: {', '.join(done)} would be applied twice: the header has {keywords}. Start from "
            "the raw exposure, or run only the steps that come after."
        )


def _notes(opened: Opened, outcomes: Iterable[Outcome], settings: Settings) -> tuple[str, ...]:
    """Tell what a user must know of a run that ended well."""
    notes = list(opened.baseline.notes)
    off = {o.step for o in outcomes if o.reason == SKIP_IS_SET}
    notes += [
        f"{step} is off (skip = true), so that {', '.join(values)} had no effect; turn it on with skip = false"
        for step, values in settings.values.items()
        if step in off and set(values) != {"skip"}
    ]
    notes += [
        f"{o.step} was skipped ({o.reason}): the product is a ramp, not count rates"
        for o in outcomes
        if o.step in ("ramp_fit", "guider_cds") and o.state == "skipped"
    ]
    return tuple(notes)


def _what(name: str | None) -> tuple[str | None, str | None]:
    """Tell a pipeline name from a step name."""
    if name is None:
        return None, None
    if name.lower() in recipe_names():
        return name, None
    if name in STEPS:
        return None, name
    pipelines = ", ".join(recipe_names())
    raise ParameterError(
        f"there is no pipeline or step {name!r}. Pipelines: {pipelines}. Steps: {', '.join(STEPS)}."
    )


def _settings(params: Mapping[str, Mapping[str, Any]], overrides: Mapping[str, Mapping[str, str]]) -> Settings:
    """Check names and values before any file is read."""
    settings = Settings()
    for step, values in params.items():
        checked = get_step(step).params.build(step, values)
        known = {k: getattr(checked, k) for k in values if k in type(checked).model_fields}
        settings = settings.with_values(step, known)
    for step, files in overrides.items():
        for reftype, file in files.items():
            types = get_step(step).references
            if reftype not in types:
                raise ParameterError(
                    f"step {step} uses no reference of type {reftype!r}; it uses: {', '.join(types) or 'none'}."
                )
            settings = settings.with_override((step, reftype), file)
    return settings


def _effective(opened: Opened, settings: Settings) -> dict[str, StepParams]:
    recipe: Recipe = opened.recipe
    for step in (*settings.values, *(s for s, _ in settings.overrides)):
        if step not in recipe.steps:
            raise ParameterError(f"step {step} is not part of {recipe.alias}: {', '.join(recipe.steps)}.")
    for step, reftype in settings.overrides:
        opened.book.path(step, reftype, settings.overrides)
    return {
        step: base.model_copy(update=dict(settings.of(step))) for step, base in opened.baseline.params.items()
    }


def _find_references(
    opened: Opened, settings: Settings, effective: Mapping[str, StepParams], steps: tuple[str, ...]
) -> None:
    """Ask for all references and files before the first step, so that a missing one is told at once."""
    for step in steps:
        for parameter, path in effective[step].files().items() if step in effective else ():
            if not effective[step].skip:
                existing_file(path, f"{step}.{parameter}", effective[step].info(parameter).file)
    opened.book.look_up(
        tuple(
            reftype
            for step in steps
            if step in effective and not effective[step].skip
            for reftype in STEPS[step].references_for(opened.exposure, effective[step])
            if (step, reftype) not in settings.overrides
        )
    )


def _run(
    opened: Opened,
    effective: dict[str, StepParams],
    settings: Settings,
    steps: tuple[str, ...],
    folder: Path,
    watch: Watch,
    on_outcome: Callable[[Outcome], None],
    on_message: Callable[[str], None],
    *,
    save_ramp: bool,
    save_results: frozenset[str],
    alone: str | None,
    memory_limit: int | None,
    on_plan: Callable[[Plan], bool],
) -> Calibrated:
    written: list[Path] = []
    with Together() as files, contextlib.closing(opened.source), contextlib.closing(opened.book):

        def making(outcomes: Iterable[Outcome]) -> Making:
            return Making(tuple(outcomes), settings, opened.baseline, opened.book)

        def opener(suffix: str) -> Opener:
            return lambda first, nrows, outcomes: ProductOutput(
                first, nrows, folder, making(outcomes), files, suffix
            )

        suffixes = _suffixes(steps, save_results, save_ramp, alone or opened.recipe.suffix)
        runner = Runner(
            opened.source,
            steps,
            effective,
            opened.book,
            settings.overrides,
            watch,
            {name: tuple(map(opener, wanted)) for name, wanted in suffixes.items()},
        )
        if memory_limit is not None:
            runner = fit_memory(runner, memory_limit)
        if not on_plan(plan_run(runner)):
            return Calibrated((), (), ())
        running = {name: effective[name] for name in steps if name in effective}
        compile_kernels(on_message, watch.tiles.cancel, opened.source.exposure, running)
        outcomes: list[Outcome] = []
        for ran in runner.run():
            outcomes.append(ran.outcome)
            on_outcome(ran.outcome)
            if ran.state is not None and ran.side_products:
                offered = ran.state.with_(side_products=ran.side_products)
                written += write_side_products(offered, folder, making(outcomes), files)
            for output in ran.outputs:
                if isinstance(output, ProductOutput) and ran.state is not None:
                    written += output.close(ran.state, making(outcomes))
    return Calibrated(tuple(written), tuple(outcomes), _notes(opened, outcomes, settings))


def _suffixes(
    steps: tuple[str, ...], save_results: frozenset[str], save_ramp: bool, last: str
) -> dict[str, list[str]]:
    """Suffixes of the products to write after each step; count rates have suffixes of their own."""
    suffixes: dict[str, list[str]] = {name: [name] for name in save_results if name in steps[:-1]}
    if save_ramp and "ramp_fit" in steps[1:]:
        suffixes.setdefault(steps[steps.index("ramp_fit") - 1], []).append("ramp")
    suffixes.setdefault(steps[-1], []).append(last)
    return suffixes
