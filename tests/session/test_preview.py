"""Previews of a session: equal to a run with the same values, on a window."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jwcal_interactive import Cancelled, InputError, ParameterError, Session, open_session
from jwcal_interactive.arrays import Ramp, Rates
from jwcal_interactive.bands import _arrays_of
from jwcal_interactive.cutouts import cut_state
from jwcal_interactive.session.preview import Window

pytestmark = pytest.mark.usefixtures("tiny_context")

WINDOWS = [Window(0, 0, 20, 20), Window(25, 15, 45, 41), Window(30, 20, 31, 21), Window(0, 0, 64, 64)]


@pytest.fixture
def session(tiny_raw: Path) -> Session:
    session = open_session(tiny_raw, threads=2)
    session.run()
    return session


VALUES: list[tuple[str, dict[str, Any]]] = [
    ("jump", {"rejection_threshold": 2.0}),
    ("ramp_fit", {"algorithm": "LIKELY"}),
    ("ramp_fit", {"firstgroup": 1}),
    ("saturation", {"n_pix_grow_sat": 3}),
    ("refpix", {"odd_even_columns": False}),
    ("superbias", {"skip": True}),
    ("dark_current", {"skip": True}),
    ("linearity", {"skip": True}),
]


@pytest.mark.parametrize(("step", "values"), VALUES)
def test_equals_a_run_with_the_same_values(session: Session, step: str, values: dict[str, Any]) -> None:
    made = [session.preview(window, step, values) for window in WINDOWS]
    assert not session.settings.values, "nothing is changed"
    session.run_step(step, **values)
    session.run()
    for preview, window in zip(made, WINDOWS, strict=True):
        assert preview.exact
        assert preview.notes == ()
        assert list(preview.states) == list(session.steps[session.steps.index(step) :])
        for name, state in preview.states.items():
            expected = session.result(name)
            assert expected is not None
            arrays = _arrays_of(cut_state(expected, *window.region))
            for path, array in _arrays_of(state).items():
                assert array.tobytes() == arrays[path].tobytes(), (name, path)


def test_with_flags_edited_by_hand(session: Session) -> None:
    session.edit_flags("dark_current", "DO_NOT_USE", boxes=[(28, 18, 40, 25)], groups=(1, 3))
    session.edit_flags("jump", "JUMP_DET", boxes=[(0, 0, 64, 64)], clear=True, groups=(3, 4))
    made = session.preview(WINDOWS[1], "jump", {"rejection_threshold": 3.0})
    session.run_step("jump", rejection_threshold=3.0)
    session.run()
    rates = session.result("ramp_fit")
    assert isinstance(rates, Rates)
    assert made.exact
    assert made.rates is not None
    expected = cut_state(rates, *WINDOWS[1].region)
    assert isinstance(expected, Rates)
    assert made.rates.rateints.data.tobytes() == expected.rateints.data.tobytes()
    assert (made.states["jump"].groupdq[:, 3] & 4 == 0).all()  # type: ignore[union-attr]


def test_before_anything_ran(tiny_raw: Path) -> None:
    session = open_session(tiny_raw)
    made = session.preview(WINDOWS[1], "jump", {"rejection_threshold": 2.0})
    assert made.exact
    assert isinstance(made.before, Ramp)
    assert session.status("jump").state == "pending"
    assert made.counters(session).pixels_changed is None
    session.run_step("jump", rejection_threshold=2.0)
    jumped = session.result("jump")
    assert isinstance(jumped, Ramp)
    rows, columns = WINDOWS[1].region
    np.testing.assert_array_equal(made.states["jump"].groupdq, jumped.groupdq[..., rows, columns])  # type: ignore[union-attr]


def test_up_to_a_step(session: Session) -> None:
    made = session.preview(WINDOWS[0], "saturation", last="linearity")
    assert list(made.states)[-1] == "linearity"
    assert made.rates is None
    assert made.ramp is made.states["linearity"]
    with pytest.raises(ParameterError, match="comes before"):
        session.preview(WINDOWS[0], "jump", last="refpix")


def test_counters(session: Session) -> None:
    window = WINDOWS[1]
    same = session.preview(window, "jump").counters(session)
    assert same.pixels_changed == 0
    assert all(change.before == change.after for change in same.groups.values())
    values = {"rejection_threshold": 1.0}
    counters = session.preview(window, "jump", values).counters(session)
    was = session.result("jump")
    session.run_step("jump", **values)
    session.run()
    now = session.result("jump")
    assert isinstance(was, Ramp)
    assert isinstance(now, Ramp)
    cut = (..., *window.region)
    assert counters.groups["JUMP_DET"] == (
        np.count_nonzero(was.groupdq[cut] & 4),
        np.count_nonzero(now.groupdq[cut] & 4),
    )
    rates = session.result("gain_scale")
    assert isinstance(rates, Rates)
    slopes = rates.rate.data[cut]
    assert counters.slope is not None
    assert counters.spread is not None
    assert counters.slope.after == np.median(slopes)
    assert counters.spread.after == pytest.approx(1.4826 * np.median(np.abs(slopes - np.median(slopes))))
    assert counters.pixels_changed
    after = session.preview(window, "jump").counters(session)
    assert after.pixels_changed == 0


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (-1, 0, 4, 4), (0, 9, 3, 2), (0, 0, 257, 3), (0, 0, 3, 300)])
def test_window_that_is_not_possible(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match=r"window: [xy]"):
        Window(*box)


def test_window_around_a_pixel_stays_in_the_frame() -> None:
    assert Window.around(3, 100, 64, (128, 2048)) == Window(0, 64, 64, 128)
    assert Window.around(1000, 5, 256, (64, 2048)).shape == (64, 256)


def test_refused(session: Session) -> None:
    with pytest.raises(InputError, match="64 columns and 64 rows"):
        session.preview(Window(0, 60, 10, 65), "jump")
    with pytest.raises(ParameterError, match="rejection_threshold"):
        session.preview(WINDOWS[0], "jump", {"rejection_threshold": -1})
    with pytest.raises(ParameterError, match="no step"):
        session.preview(WINDOWS[0], "jumps")


def test_cancel(session: Session) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        session.preview(WINDOWS[0], "jump", cancel=cancel)


def test_window_as_numbers(session: Session) -> None:
    box, values = (25, 15, 45, 41), {"rejection_threshold": 2.0}
    for window in (box, np.array(box)):
        assert session.preview(window, "jump", values).window == Window(*box)
    for wrong in ((1, 2, 3), (0, 0, 4.5, 4), "here", 7):
        with pytest.raises(InputError, match=r"give \(x0, y0, x1, y1\)"):
            session.preview(wrong, "jump", values)


def test_printed_in_a_few_lines(session: Session) -> None:
    preview = session.preview(Window(0, 0, 20, 20), "jump", {"rejection_threshold": 2.0})
    assert "jump(rejection_threshold=2.0)" in repr(preview)
    assert len(repr(preview)) < 400
    assert len(repr(session.result("jump"))) < 400
    assert "float32 (" in repr(session.result("jump"))
