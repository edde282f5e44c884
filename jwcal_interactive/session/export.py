"""Export: a session as a short notebook that says what was done and repeats it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jwcal_interactive.edits import INLINE_BOXES
from jwcal_interactive.io.atomic import Together, writable_folder
from jwcal_interactive.references.book import NOT_APPLICABLE
from jwcal_interactive.session.editing import write_edits
from jwcal_interactive.session.saved import NOTEBOOK_KEY, refuse_other_ending, session_document
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.version import VERSION

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = ["export_notebook", "parameter_name"]


def parameter_name(step: str, name: str) -> str:
    """Name of a step's parameter in the notebook, e.g. ``jump_rejection_threshold``."""
    return f"{step}_{name}"


def _override_name(step: str, reftype: str) -> str:
    return f"{step}_override_{reftype}"


def export_notebook(session: Session, path: Path) -> Path:
    """Write a session as a parameterized notebook.

    The notebook uses the public interface only. Its cell tagged ``parameters`` holds the input file, the output
    folder, the CRDS context and what the user changed; run by papermill with the same values in the same
    environment it gives the same arrays bit for bit. Many edits of flags go into ``NAME.edits.json`` beside it;
    both files appear together or not at all.

    Parameters
    ----------
    session : Session
        It need not have run; then the notebook has nothing to compare with.
    path : Path
        File to write, ``.ipynb``.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If the name does not end in ``.ipynb``.
    OutputError
        If it cannot be written.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    refuse_other_ending(path, ".ipynb", "an exported notebook")
    folder = writable_folder(path.parent)
    beside = _edits_file(session, folder / f"{path.stem}.edits.json")
    values = tuple(_parameters(session, beside))
    parameters = new_code_cell("\n".join(p.line() for p in (*values, _OUTPUT_DIR)))
    parameters.metadata["tags"] = ["parameters"]
    notebook = new_notebook(
        cells=[
            new_markdown_cell(_title(session)),
            parameters,
            new_code_cell("\n".join(_opening_lines(session))),
            new_markdown_cell(_steps_text(session)),
            *(new_code_cell(cell) for cell in _edit_cells(session, beside)),
            *(new_code_cell(cell) for cell in _step_cells(session)),
            new_code_cell("session.summary()"),
            new_markdown_cell("## Result\n\n" + _result_text(session)),
            new_code_cell("session.figure()"),
            new_code_cell('for product in session.write(output_dir):\n    print("wrote", product)'),
            *_check_cells(session, values),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            NOTEBOOK_KEY: session_document(session, folder, None if beside is None else beside.name),
        },
    )
    for index, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{index}"  # the same session gives the same file
    with Together() as files:
        if beside is not None:
            write_edits(session.tree.edits, beside, files)
        with files.writing(path) as temporary:
            nbformat.write(notebook, temporary)
    return path


def _edits_file(session: Session, path: Path) -> Path | None:
    """Where the edits of flags go if they are too many for the notebook; ``None`` if they are not."""
    boxes = sum(len(edit.boxes) for edit in session.tree.edits)
    return path.resolve() if boxes > INLINE_BOXES else None


class _Parameter(NamedTuple):
    """One line of the cell tagged ``parameters``."""

    name: str
    kind: str
    value: Any
    comment: str

    def line(self) -> str:
        """Give ``name: type = value  # unit, allowed, help``, from which papermill reads types and help.

        papermill passes over a line with a second equals sign, so there is none in values and comments.
        """
        words = self.comment.replace(">=", "≥").replace("<=", "≤").replace("=", "is").replace("\n", " ")
        literal = repr(self.value).replace("=", "\\x3d")
        return f"{self.name}: {self.kind} = {literal}  # {words}"


_KINDS = {"choice": "str", "ints": "list", "floats": "list"}
"""Type in the cell tagged ``parameters`` for each kind of parameter that has no type of that name."""

_EDITS = "flag_edits"
"""Parameter of the notebook for the edits of flags."""

_OUTPUT_DIR = _Parameter("output_dir", "str", "products", "folder for the products")


def _parameters(session: Session, beside: Path | None) -> Iterator[_Parameter]:
    """Everything that decides the numbers and may differ from run to run."""
    context = session.context if session.context == "demo" else session.crds_context
    yield _Parameter("input_file", "str", str(session.path), "raw exposure (_uncal.fits)")
    yield _Parameter("context", "str", context, "CRDS context of the reference files, or demo")
    for step, values in session.settings.values.items():
        for name, value in values.items():
            info = STEPS[step].params.info(name)
            kind = _KINDS.get(info.kind, info.kind)
            unit = f"{info.unit}, " if info.unit else ""
            comment = f"{unit}{info.allowed}; {info.help}"
            plain = list(value) if isinstance(value, tuple) else value  # papermill makes tuples text
            yield _Parameter(parameter_name(step, name), kind, plain, comment)
    for (step, reftype), file in session.settings.overrides.items():
        comment = f"{reftype} reference for {step}, or N/A"
        yield _Parameter(_override_name(step, reftype), "str", file, comment)
    if session.settings.edits and beside is None:
        yield _Parameter(_EDITS, "bool", True, "repeat the edits of flags that were made by hand")
    elif session.settings.edits:
        comment = "file with the edits of flags that were made by hand; empty to leave them out"
        yield _Parameter(_EDITS, "str", str(beside), comment)


def _opening_lines(session: Session) -> Iterator[str]:
    yield "from jwcal_interactive import open_session"
    yield ""
    yield f"session = open_session(input_file, pipeline={session.pipeline!r}, context=context)"
    for step, reftype in session.settings.overrides:
        name = _override_name(step, reftype)
        yield f"session.override({reftype!r}, {name}, step={step!r})"


def _edit_cells(session: Session, beside: Path | None) -> Iterator[str]:
    """One cell for all edits of flags: they are settings, and each is applied after its step."""
    edits = session.settings.edits
    if not edits:
        return
    if beside is None:
        calls = [edit.call() for edit in edits]
    else:
        known = session.tree.edits
        chosen = [known.index(edit) for edit in edits]
        calls = [
            f"session.load_edits({_EDITS}{'' if chosen == list(range(len(known))) else f', only={chosen}'})"
        ]
    yield "\n    ".join([f"if {_EDITS}:", *calls])


def _step_cells(session: Session) -> Iterator[str]:
    """One call per step; a run of untouched steps is one call."""
    untouched = ""
    for step in session.steps:
        values = session.settings.of(step)
        if not values:
            untouched = step
            continue
        if untouched:
            yield f"session.run(last={untouched!r})"
            untouched = ""
        arguments = "".join(f",\n    {name}={parameter_name(step, name)}" for name in values)
        yield f"session.run_step(\n    {step!r}{arguments},\n)"
    if untouched:
        yield "session.run()  # the steps that are left, as CRDS and the defaults have them"


def _title(session: Session) -> str:
    exposure = session.exposure
    facts = (
        f"{exposure.instrument} {exposure.detector}, {exposure.exp_type}, {exposure.subarray} "
        f"({exposure.xsize} x {exposure.ysize} pixels), {exposure.readpatt}: {exposure.nints} integrations of "
        f"{exposure.ngroups} groups, one every {exposure.group_time:g} s"
    )
    return (
        f"# {exposure.filename}: {session.recipe.alias}\n\n{facts}.\n\n"
        f"Exported by jwcal_interactive {VERSION}; references: CRDS context `{session.crds_context}`. "
        "Run all cells, or run it headless on this or another exposure:\n\n"
        "```\npapermill THIS.ipynb OUT.ipynb -p input_file OTHER_uncal.fits -p output_dir products\n```"
    )


def _steps_text(session: Session) -> str:
    lines = ["## Steps", ""]
    changed = [
        f"- `{step}.{name}` = {value!r} (without the change: {getattr(session.baseline(step), name)!r})"
        for step, values in session.settings.values.items()
        for name, value in values.items()
    ]
    changed += [
        f"- `{step}`: {reftype} reference `{_file_name(file)}` instead of the one that CRDS gives"
        for (step, reftype), file in session.settings.overrides.items()
    ]
    changed += [f"- `{edit.after}`: {edit.in_words()}" for edit in session.settings.edits]
    if changed:
        lines += ["Changed by hand:", "", *changed]
    else:
        lines += ["Nothing was changed by hand: parameters are those of CRDS and the official defaults."]
    lines += ["", *(f"Note: {note}." for note in session.notes)]
    return "\n".join(lines).rstrip()


def _file_name(file: str) -> str:
    return file if file.upper() == NOT_APPLICABLE else Path(file).name


def _result_text(session: Session) -> str:
    used = {(r.reftype, r.name, r.sha256[:16]) for o in session.outcomes() for r in o.references if r.sha256}
    if not used:
        return "The session had not run when this notebook was written."
    rows = "\n".join(f"| {t} | {n} | `{h}` |" for t, n, h in sorted(used))
    return (
        "The session that wrote this notebook used these reference files:\n\n"
        f"| type | file | SHA-256 begins |\n|---|---|---|\n{rows}"
    )


def _check_cells(session: Session, parameters: tuple[_Parameter, ...]) -> Iterator[Any]:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    if not session.is_finished:
        return
    given = ", ".join(p.name for p in parameters)
    values = ", ".join(repr(p.value) for p in parameters)
    yield new_markdown_cell(
        "The arrays of the products have a fingerprint (SHA-256). With the same input, parameters and software "
        "it is the one of the session that wrote this notebook."
    )
    yield new_code_cell(
        f"exported = {session.digest()!r}\n"
        f"if ({given}) == ({values}):\n"
        '    print("arrays identical to the exported session:", session.digest() == exported)\n'
        "else:\n"
        '    print("other input or parameters than in the exported session: nothing to compare with")'
    )
