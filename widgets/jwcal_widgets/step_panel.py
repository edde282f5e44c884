"""The panel of one step, made from its parameter definitions, its references and its status."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.io.user_files import existing_file
from jwcal_interactive.params import StepParams
from jwcal_interactive.recipes import BEYOND_OFFICIAL
from jwcal_interactive.steps.catalogue import users_of
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.param_control import ParamControl
from jwcal_widgets.rail import NOT_OFFICIAL
from jwcal_widgets.reference_control import ReferenceControl
from jwcal_widgets.results import INPUT

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["StepPanel"]

FILTER_FROM = 7


@dataclass(frozen=True)
class _Form:
    """The controls of one step, kept so that coming back to a step is quick."""

    controls: dict[str, ParamControl]
    references: dict[str, ReferenceControl]
    widget: ipw.VBox
    advanced: ipw.ToggleButton | None  # shows the parameters that are rarely changed


def _explain_missing(model: type[StepParams]) -> str:
    """List official parameters that do nothing here, folded away."""
    names = model.without_effect
    if not names:
        return ""
    items = "".join(f"<li><code>{html.escape(n)}</code>: {html.escape(why)}</li>" for n, why in names.items())
    return (
        f"<details class='jwcal-help'><summary>Without effect here ({len(names)})</summary>"
        f"<ul>{items}</ul></details>"
    )


class StepPanel:
    """Parameters and references of the chosen step.

    Parameters
    ----------
    session : Session
    on_change : callable
        Called after a setting of the session was changed.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    height : int
        Height of the scrolling list of parameters, screen pixels.
    on_preview : callable, optional
        ``on_preview(step, values)`` is called while a slider is dragged; the value is set when it has come to
        rest. Without it, values are only set.
    settle : float
        Time after which a slider has come to rest, s.

    Attributes
    ----------
    widget : ipywidgets.VBox
    step : str
        The chosen step; empty before the first choice.
    """

    def __init__(
        self,
        session: Session,
        on_change: Callable[[], None],
        guard: Callable[..., Any],
        height: int,
        *,
        on_preview: Callable[[str, Mapping[str, Any]], None] | None = None,
        settle: float = 0.5,
    ) -> None:
        self.step = ""
        self._session = session
        self._on_change = on_change
        self._on_preview, self._settle = on_preview, settle
        self._guard = guard
        self._forms: dict[str, _Form] = {}
        self._head = ipw.HTML(layout={"margin": "8px 0 0"})
        self.filter = ipw.Text(
            placeholder="search parameters",
            tooltip="Show the parameters whose name or help contains these words",
            layout={"width": "112px"},
            continuous_update=True,
        )
        self.changed_only = ipw.Checkbox(
            description="changed",
            indent=False,
            tooltip="Show only the parameters that differ from the official defaults",
            layout={"width": "78px"},
        )
        self.help = ipw.Checkbox(
            value=True,
            description="help",
            indent=False,
            tooltip="Explain each parameter; without, the list is half as long, and names explain themselves",
            layout={"width": "54px"},
        )
        self.code = ipw.Checkbox(
            description="code",
            indent=False,
            tooltip="Show the line of Python that each control stands for, ready to copy",
            layout={"width": "56px"},
        )
        self.reset_all = ipw.Button(
            description="reset all",
            icon="undo",
            tooltip="Return all parameters of this step to their defaults, or to what CRDS says",
            layout={"width": "84px"},
        )
        self._tools = ipw.HBox(
            [self.filter, self.changed_only, self.help, self.code, self.reset_all],
            layout={"align_items": "center", "flex_flow": "row wrap"},
        )
        self._height = height
        self._body = ipw.VBox()
        self._code = ipw.HTML(layout={"margin": "2px 0 6px"})
        self.widget = ipw.VBox([self._head, self._code, self._tools, self._body])
        for control in (self.filter, self.changed_only):
            control.observe(guard(lambda _change: self._apply_filter()), "value")
        self.help.observe(guard(lambda _change: self._show_help()), "value")
        self.code.observe(guard(lambda _change: self._show_code()), "value")
        self.reset_all.on_click(guard(lambda _button: self._reset_all()))

    @property
    def controls(self) -> dict[str, ParamControl]:
        """Controls of the chosen step by parameter name."""
        form = self._forms.get(self.step)
        return form.controls if form else {}

    @property
    def references(self) -> dict[str, ReferenceControl]:
        """Controls of the references of the chosen step by reference type."""
        form = self._forms.get(self.step)
        return form.references if form else {}

    def choose(self, step: str) -> None:
        """Show the panel of a step; ``input`` is the raw exposure."""
        self.step = step
        self.filter.value = ""
        if step != INPUT and step not in self._forms:
            definition = self._session.definition(step)
            self._forms[step] = self._make_form(step, definition.params, definition.references)
        form = self._forms.get(step)
        self._body.children = (form.widget,) if form else ()
        many = form is not None and len(form.controls) >= FILTER_FROM
        self._tools.layout.display = "flex" if form else "none"
        for control in (self.filter, self.changed_only, self.help):
            control.layout.display = None if many else "none"
        self._show_help()
        self._show_code()
        self.refresh()

    def refresh(self) -> None:
        """Show the session's present values."""
        self._head.value = self._headline()
        form = self._forms.get(self.step)
        if form is None:
            self._code.value = ""
            return
        params = self._session.params(self.step)
        for name, control in form.controls.items():
            control.show(getattr(params, name), self._session.source(self.step, name))
        self._show_references(form)
        wrong = any(control.error for control in form.controls.values())
        self.reset_all.disabled = not (self._session.settings.of(self.step) or wrong)
        code = self._session.code(self.step) or "# untouched: official defaults and CRDS"
        self._code.value = (
            f"<pre class='jwcal-code' title='The code that this panel stands for: click selects it'>"
            f"{html.escape(code)}</pre>"
        )
        self._apply_filter()

    def commit(self) -> None:
        """Set what sliders show now, without waiting for them to come to rest."""
        for form in self._forms.values():
            for control in form.controls.values():
                control.commit()

    def close(self) -> None:
        """Close all widgets; what is not set yet is forgotten."""
        for form in self._forms.values():
            for control in form.controls.values():
                control.close()
        close_widgets(self.widget, *(form.widget for form in self._forms.values()))
        self._forms.clear()

    def _headline(self) -> str:
        if self.step == INPUT:
            return (
                "<span class='jwcal-panel-title'>input</span>"
                "<div class='jwcal-help'>The raw ramps as read from the file.</div>"
            )
        status = self._session.status(self.step)
        definition = self._session.definition(self.step)
        reason = f": {html.escape(status.reason)}" if status.reason else ""
        beyond = f"<div class='jwcal-help'>+ {NOT_OFFICIAL}</div>" if self.step in BEYOND_OFFICIAL else ""
        return (
            f"<span class='jwcal-panel-title'>{self.step}</span> &nbsp;"
            f"<span class='jwcal-{status.state}'>{status.state}</span>{reason}{beyond}"
            f"<div class='jwcal-help'>{html.escape(definition.summary)}</div>"
        )

    def _make_form(self, step: str, model: type[StepParams], reftypes: tuple[str, ...]) -> _Form:
        controls = {
            info.name: ParamControl(
                info,
                partial(self._set, step, info.name),
                partial(self._reset, step, info.name),
                self._guard,
                step=step,
                on_preview=self._previewer(step, info.name),
                settle=self._settle,
                folders=partial(self._folders, step),
            )
            for info in model.infos()
        }
        parts: list[ipw.Widget] = [_rows(c.widget for c in controls.values() if not c.info.advanced)]
        rare = [control.widget for control in controls.values() if control.info.advanced]
        advanced = self._make_advanced(len(rare)) if rare else None
        if advanced is not None:
            parts += [advanced, _rows(rare)]
        references = {
            reftype: ReferenceControl(
                reftype,
                self._others(step, reftype),
                partial(self._override, step, reftype),
                self._guard,
                partial(self._folders, step, reftype),
            )
            for reftype in reftypes
        }
        if references:
            parts.append(ipw.HTML("<span class='jwcal-section'>reference overrides</span>"))
            parts.append(_rows(control.widget for control in references.values()))
        missing = _explain_missing(model)
        if missing:
            parts.append(ipw.HTML(missing))
        # Each form scrolls by itself: another step's begins at its top.
        form = ipw.VBox(
            parts, layout={"max_height": f"{self._height}px", "overflow": "hidden auto", "flex": "0 1 auto"}
        )
        form.add_class("jwcal-scroll")
        return _Form(controls, references, form, advanced)

    def _make_advanced(self, count: int) -> ipw.ToggleButton:
        button = ipw.ToggleButton(
            description=f"advanced ({count})",
            icon="caret-right",
            tooltip="Show the parameters that are rarely changed",
            layout={"width": "auto", "margin": "4px 0 2px", "flex": "0 0 auto", "align_self": "flex-start"},
        )

        def toggle(change: dict[str, Any]) -> None:
            button.icon = "caret-down" if change["new"] else "caret-right"
            self._apply_filter()

        button.observe(self._guard(toggle), "value")
        return button

    def _previewer(self, step: str, name: str) -> Callable[[Any], None] | None:
        tell = self._on_preview
        return None if tell is None else lambda value: tell(step, {name: value})

    def _folders(self, step: str, reftype: str = "") -> Iterable[Path]:
        """Folders where the user's files are likely to be: the notebook's, the exposure's, the references'."""
        yield Path.cwd()
        yield self._session.path.parent
        for used in self._session.references(step):
            if used.path and used.reftype == reftype:
                yield Path(used.path).parent

    def _show_code(self) -> None:
        for control in self.controls.values():
            control.show_code(self.code.value)

    def _show_help(self) -> None:
        form = self._forms.get(self.step)
        many = form is not None and len(form.controls) >= FILTER_FROM
        for control in form.controls.values() if form else ():
            control.show_help(self.help.value or not many)

    def _show_references(self, form: _Form) -> None:
        used = {ref.reftype: ref for ref in self._session.references(self.step)}
        overrides = self._session.settings.overrides
        for reftype, control in form.references.items():
            control.show(overrides.get((self.step, reftype), ""), used.get(reftype))

    def _others(self, step: str, reftype: str) -> tuple[str, ...]:
        return tuple(name for name in users_of(reftype, self._session.steps) if name != step)

    def _set(self, step: str, name: str, value: Any) -> None:
        params = self._session.params(step)
        if params.info(name).file:
            checked = type(params).build(step, {**params.model_dump(), name: value})
            if path := checked.files().get(name):
                existing_file(path, f"{step}.{name}", params.info(name).file)
        self._session.set(step, **{name: value})
        self._on_change()

    def _reset(self, step: str, name: str) -> None:
        self._session.reset(step, name)
        self._on_change()

    def _reset_all(self) -> None:
        for control in self.controls.values():
            control.forget_error()
        self._session.reset(self.step)
        self._on_change()

    def _override(self, step: str, reftype: str, file: str, everywhere: bool) -> None:
        self._session.override(reftype, file or None, step=None if everywhere else step)
        self._on_change()

    def _apply_filter(self) -> None:
        form = self._forms.get(self.step)
        if form is None:
            return
        words = self.filter.value.strip()
        closed = form.advanced is not None and not form.advanced.value
        for name, control in form.controls.items():
            source = self._session.source(self.step, name)
            wanted = control.matches(words)
            if self.changed_only.value:
                wanted &= bool(control.error) or source != "default"
            elif control.info.advanced and closed and not words:
                wanted &= bool(control.error) or source == "user"
            control.widget.layout.display = None if wanted else "none"


def _rows(widgets: Iterable[ipw.Widget]) -> ipw.VBox:
    rows = ipw.VBox(list(widgets))
    rows.add_class("jwcal-params")
    return rows
