"""Several exposures in one place: a list, the workbench of the chosen one, settings taken from one to all."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from jwcal_interactive.errors import Cancelled, InputError, JwcalError
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.latest import Latest
from jwcal_widgets.messages import Messages
from jwcal_widgets.step_choices import StepChoices
from jwcal_widgets.style import STYLE
from jwcal_widgets.workbench import Workbench

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["Exposures"]

LINES = 6  # of the list


@dataclass(eq=False)
class _Item:
    """One exposure: its session once it is open, its workbench once it was looked at."""

    name: str
    path: Path | None = None
    session: Session | None = None
    bench: Workbench | None = None
    error: str = ""
    chosen: list[StepChoices] = field(default_factory=list)  # to be made when it is opened
    stop: threading.Event = field(default_factory=threading.Event)  # asks its run in `Run all` to end
    busy: threading.Lock = field(default_factory=threading.Lock)  # held as long as that run goes on

    @property
    def words(self) -> str:
        """What the list says of it."""
        if self.error:
            return f"✕ {self.error}"
        if self.session is None:
            return "· not opened yet"
        session = self.session
        states = [session.status(step).state for step in session.steps if not session.params(step).skip]
        if "failed" in states:
            return "✕ a step has failed"
        to_do = sum(state in {"pending", "stale"} for state in states)
        return f"↻ {to_do} steps to be run" if to_do else "✓ up to date"


class Exposures(ipw.VBox):
    """Workbenches of several exposures, one of them on show.

    Sessions are opened, and workbenches made, when an exposure is first looked at. Display it as the last line
    of a cell.

    Parameters
    ----------
    exposures : iterable of Session, str or Path
        Sessions, or what `jwcal_interactive.open_session` opens.
    context : str, optional
        For those that are opened here, see `open_session`.
    delay : float
        See `Workbench`.

    Attributes
    ----------
    chooser : ipywidgets.Select
        Its value is the place of the exposure on show.
    bench : Workbench or None
        The workbench on show.
    buttons : dict of str to ipywidgets.Button
    messages : Messages

    Raises
    ------
    InputError
        If there are none, or a file does not exist.
    """

    def __init__(
        self,
        exposures: Iterable[Session | str | Path],
        *,
        context: str | None = None,
        delay: float = 0.04,
    ) -> None:
        self._context, self._delay = context, delay
        self._items = [_item(exposure) for exposure in exposures]
        if not self._items:
            raise InputError("exposures: the list is empty. Give sessions, or files that open_session opens.")
        self._count = len(self._items)
        self._showing = False
        self._over = threading.Event()  # Run all was cancelled, or has come to its end
        self._opening = threading.Lock()
        self._thread: threading.Thread | None = None
        self.messages = Messages()
        guard = self.messages.guarded
        self._latest = Latest(guard, "jwcal-open")
        self.chooser = ipw.Select(options=[("", 0)], tooltip="Exposures", layout={"width": "100%"})
        self.chooser.add_class("jwcal-tree")
        self.chooser.observe(guard(lambda _change: self._chosen()), "value")
        self.buttons: dict[str, ipw.Button] = {}
        looks: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            ("run", "Run all", "play", "Run each exposure to its end, one after the other", self._run),
            ("cancel", "Cancel", "stop", "Stop; finished steps are kept", self.cancel),
            ("close", "Close…", "times", "Close the exposure on show and free its memory", self._ask),
            ("yes", "Close it", "times", "What was not saved is lost", self._close_chosen),
            ("no", "Keep it", "", "Close nothing", lambda: self._confirming(False)),
        )
        for name, label, icon, tooltip, action in looks:
            button = ipw.Button(description=label, icon=icon, tooltip=tooltip, layout={"width": "auto"})
            # Cancel does not wait for a handler that is at work.
            button.on_click(_plainly(action) if name == "cancel" else guard(_plainly(action)))
            self.buttons[name] = button
        self._say = ipw.HTML(layout={"margin": "0 8px"})
        self._stage = ipw.VBox(layout={"overflow": "visible"})
        row = ipw.HBox([*self.buttons.values(), self._say], layout={"align_items": "center"})
        super().__init__(
            [
                ipw.HTML(STYLE, layout={"display": "none"}),
                self.chooser,
                row,
                self.messages.widget,
                self._stage,
            ]
        )
        self.add_class("jwcal")
        self._confirming(False)
        self.refresh()
        self._chosen()

    @property
    def bench(self) -> Workbench | None:
        """The workbench on show."""
        item = self._item
        return None if item is None else item.bench

    @property
    def running(self) -> bool:
        """Whether `Run all` is at work."""
        thread = self._thread
        return thread is not None and thread.is_alive() and not self._over.is_set()

    def refresh(self) -> None:
        """Say again in the list how far each exposure is."""
        width = max((len(item.name) for item in self._items), default=0)
        options = [(f"{item.name:<{width}}  {item.words}", n) for n, item in enumerate(self._items)]
        self._showing = True
        try:
            keep = self.chooser.value
            if list(self.chooser.options) != options:
                self.chooser.options = options
                self.chooser.value = keep if keep is not None and keep < len(options) else None
            self.chooser.layout.height = f"{20 * min(max(len(options), 2), LINES) + 8}px"
        finally:
            self._showing = False
        self.buttons["run"].disabled = self.running or not self._items
        self.buttons["cancel"].disabled = not self.running
        self.buttons["close"].disabled = self._item is None

    def wait(self, timeout: float | None = None) -> None:
        """Wait for what is being opened, and for `Run all`."""
        self._latest.wait(timeout)
        if self._thread is not None:
            self._thread.join(timeout)

    def cancel(self) -> None:
        """Stop `Run all`."""
        self._over.set()
        for item in self._items:
            item.stop.set()
            if item.bench is not None:
                item.bench.runner.cancel()
        self._tell("cancelled", "stale")
        self.refresh()

    def close(self) -> None:
        """Close all workbenches, and the sessions that were opened here."""
        if self.comm is None:
            return
        self._over.set()
        self._latest.close()
        while self._items:
            _free(self._items.pop())
        close_widgets(*self.children, self.layout)
        super().close()

    @property
    def _item(self) -> _Item | None:
        place = self.chooser.value
        return self._items[place] if place is not None and place < len(self._items) else None

    def _tell(self, words: str, state: str = "running") -> None:
        self._say.value = f"<span class='jwcal-{state}'>{html.escape(words)}</span>"

    def _chosen(self) -> None:
        item = self._item
        if self._showing or item is None:
            return
        if item.session is None:
            self._tell(f"opening {item.name}…")
        self._latest.request(lambda: self._open(item), self._show)

    def _open(self, item: _Item) -> _Item:
        """Open the session of an exposure, if it is not open; memory is shared between all."""
        from jwcal_interactive import open_session
        from jwcal_interactive.session.cache import default_limit

        with self._opening:
            if item.session is None and item.path is not None:
                try:
                    limit = default_limit() // self._count
                    item.session = open_session(item.path, context=self._context, memory_limit=limit)
                    item.error = ""
                    while item.chosen:
                        item.chosen.pop(0).make(item.session)
                except JwcalError as error:
                    item.error = str(error)
        return item

    def _show(self, item: _Item) -> None:
        self._tell("")
        if item is self._item and item.session is not None:
            if item.bench is None:
                item.bench = Workbench(item.session, delay=self._delay)
                item.bench.offer(
                    "Apply to all exposures",
                    "Make the settings of this step those of all exposures in the list",
                    self._apply_to_all,
                )
            self._stage.children = (item.bench,)
        elif item is self._item:
            self._stage.children = ()
            self.messages.error(InputError(f"{item.name}: {item.error}"))
        self.refresh()

    def _apply_to_all(self) -> None:
        source = self._item
        if source is None or source.session is None or source.bench is None:
            return
        chosen = StepChoices.of(source.session, source.bench.step)
        self.messages.clear_errors()
        done = 0
        for item in self._items:
            if item is source:
                continue
            if item.session is None:
                item.chosen.append(chosen)
            else:
                try:
                    chosen.make(item.session)
                except JwcalError as error:
                    self.messages.error(InputError(f"{item.name}: {error}"))
                    continue
                if item.bench is not None:
                    item.bench.refresh()
            done += 1
        others = len(self._items) - 1
        self._tell(f"{chosen.step}: applied to {done} of {others} other exposures", "done")
        self.refresh()

    def _run(self) -> None:
        if self.running:
            return
        self.messages.clear_errors()
        self._over = threading.Event()
        before = self._thread
        self._thread = threading.Thread(
            target=self._run_all, args=(self._over, before), name="jwcal-run-all", daemon=True
        )
        self._thread.start()
        self.refresh()

    def _run_all(self, over: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        show = self.messages.guarded(self._show_run)
        items = list(self._items)
        for number, item in enumerate(items, start=1):
            if over.is_set():
                return
            if item not in self._items:
                continue  # closed meanwhile
            show(f"{item.name}: {number} of {len(items)}")
            try:
                self._run_one(item, over)
            except Cancelled:
                continue  # all are, or this exposure was closed
            except Exception as error:  # noqa: BLE001 - shown to the user; the next exposure is run
                failure = InputError(f"{item.name}: {error}") if isinstance(error, JwcalError) else error
                self.messages.error(failure)
        if not over.is_set():
            over.set()
            show("")

    def _run_one(self, item: _Item, over: threading.Event) -> None:
        self._open(item)
        if item.session is None:
            raise InputError(item.error)
        with item.busy:
            item.stop = stop = threading.Event()
            # Who cancels or closes does so before setting the event: this one, or seen here.
            if over.is_set() or item not in self._items:
                raise Cancelled
            bench = item.bench
            if bench is None:
                item.session.run(cancel=stop, progress=lambda _progress: None)
                return
            bench.messages.guarded(bench.run)()
            if stop.is_set():
                bench.runner.cancel()
            bench.runner.wait()

    def _show_run(self, words: str) -> None:
        self._tell(words or "all exposures were run", "running" if words else "done")
        self.refresh()

    def _ask(self) -> None:
        item = self._item
        if item is not None:
            self._confirming(True)
            self._tell(f"Close {item.name}? Its settings are lost, unless they were saved.", "stale")

    def _confirming(self, asked: bool) -> None:
        for name in ("yes", "no"):
            self.buttons[name].layout.display = None if asked else "none"
        self.buttons["close"].layout.display = "none" if asked else None
        self._tell("")

    def _close_chosen(self) -> None:
        item = self._item
        self._confirming(False)
        if item is None:
            return
        place = self._items.index(item)
        self._stage.children = ()
        self._items.remove(item)
        self.refresh()
        if self._items:
            self.chooser.value = min(place, len(self._items) - 1)
            self._chosen()  # the place may be the same, the exposure is another
        _free(item)


def _plainly(action: Callable[[], None]) -> Callable[[object], None]:
    def handler(_button: object) -> None:
        action()

    return handler


def _item(exposure: Session | str | Path) -> _Item:
    if not isinstance(exposure, str | Path):
        return _Item(exposure.path.name, session=exposure)
    path = Path(exposure)
    if not path.is_file():
        raise InputError(f"exposures: {path}: no such file. Give raw exposures, sessions or saved sessions.")
    return _Item(path.name, path=path)


def _free(item: _Item) -> None:
    """Close the workbench of an exposure, and its session if it was opened here; a run is ended before."""
    item.stop.set()
    if item.bench is not None:
        item.bench.runner.cancel()
        item.bench.runner.wait()
    with item.busy:
        pass  # its run has ended
    if item.bench is not None:
        item.bench.close()
    if item.session is not None and item.path is not None:
        item.session.close()
    item.bench = item.session = None
