"""The preview of every step, on small random input and without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from step_inputs import CASES, make, run

from jwcal_interactive.arrays import Keyword, Ramp, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.recipes import RECIPES
from jwcal_interactive.session.ledger import StepStatus
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_widgets.check_panel import CheckPanel
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.previews import Pixel, preview_for
from jwcal_widgets.previews.board import Board
from jwcal_widgets.previews.generic import GENERIC
from jwcal_widgets.previews.report import Map, Plot, Report, count_map, histogram_line


@dataclass
class OneStep:
    """What a preview asks a session: one step with its input and result."""

    step: str
    before: State
    after: State | None
    references: Any = None
    parameters: Any = None
    state: StepStatus = field(default_factory=lambda: StepStatus("done"))

    def __post_init__(self) -> None:
        self.steps = (self.step,)
        self.exposure = self.before.exposure
        self.settings = SimpleNamespace(overrides={})

    def result(self, step: str) -> State | None:
        return self.before if step == "input" else self.after

    def status(self, _step: str) -> StepStatus:
        return self.state

    def params(self, _step: str) -> Any:
        return self.parameters

    def load_references(self, _step: str) -> Any:
        return self.references


def unguarded(function):
    return function


@pytest.fixture
def boards() -> Iterator[list[Board]]:
    made: list[Board] = []
    widgets = set(_instances)
    yield made
    for board in made:
        board.close()
        close_widgets(board.widget)
    assert [repr(_instances[n]) for n in set(_instances) - widgets] == []


def board_of(boards: list[Board], step: str, picked: list | None = None) -> Board:
    board = preview_for(step, lambda *place: (picked or []).append(place), unguarded)
    boards.append(board)
    return board


def shown(boards, session, pixel=None) -> tuple[Board, Report]:
    board = board_of(boards, session.step)
    ny, nx = session.before.data.shape[-2:] if isinstance(session.before, Ramp) else (9, 9)
    report = board.gather(session, pixel or Pixel(nx // 2, ny // 2, ny))
    if report is not None:
        board.show(report)
    return board, report


def judge(report: Report, board: Board) -> None:
    """What holds of any report: labelled axes, finite limits, small pictures, words."""
    assert report.words or report.figures
    plots = [figure for figure in report.figures if isinstance(figure, Plot)]
    assert len(plots) == len(board.charts)
    for plot, chart in zip(plots, board.charts, strict=True):
        assert plot.x_label == chart.x_axis.label != ""
        assert plot.y_label == chart.y_axis.label != ""
        for scale in (chart.x_axis.scale, chart.y_axis.scale):
            assert np.isfinite([scale.min, scale.max]).all()
            assert scale.max > scale.min
        for mark, line in zip(chart.lines, plot.lines, strict=False):
            assert mark.visible == bool((np.isfinite(line.x) & np.isfinite(line.y)).any())
    for figure in report.figures:
        if isinstance(figure, Map):
            assert max(figure.colors.shape[:2]) <= 320
            assert figure.caption


def session_of(case, frame=(12, 14), seed=1) -> OneStep:
    problem = make(case, seed, frame)
    after, skipped = run(problem), None
    assert skipped is None
    return OneStep(case.step, problem.state, after, problem.references, problem.params)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_step_has_something_to_show(case, boards):
    session = session_of(case)
    board, report = shown(boards, session)
    assert report is not None
    judge(report, board)
    assert board.question.endswith("?") or "." in board.question


def test_every_step_of_every_recipe_has_a_question(boards):
    for recipe in RECIPES.values():
        for step in recipe.steps:
            assert len(board_of(boards, step).question) > 20
    assert set(GENERIC) <= set(STEPS)


def test_a_step_that_hands_its_input_on_has_nothing_to_show(boards):
    session = session_of(CASES[1])
    session.after = session.before
    assert shown(boards, session)[1] is None
    session.after = None
    assert shown(boards, session)[1] is None


def test_a_report_is_kept_until_something_changes(boards, ramp):
    session = OneStep("superbias", ramp, ramp.with_(data=ramp.data - 3))
    board = board_of(boards, "superbias")
    first = board.gather(session, Pixel(1, 2, 40))
    assert board.gather(session, Pixel(5, 6, 40)) is first, "another pixel is nothing new for this step"
    session.after = ramp.with_(data=ramp.data - 4)
    second = board.gather(session, Pixel(5, 6, 40))
    assert second is not first
    assert "-4" in second.words


def test_generic_flags_and_values(boards, ramp):
    pixeldq = ramp.pixeldq.copy()
    pixeldq[5, 6] |= np.uint32(DQ.HOT)
    groupdq = ramp.groupdq.copy()
    groupdq[1, 4, 9, 9:12] |= np.uint8(DQ.PERSISTENCE)
    after = ramp.with_(pixeldq=pixeldq, groupdq=groupdq, data=ramp.data - 7)
    board, report = shown(boards, OneStep("reset", ramp, after))
    judge(report, board)
    assert "HOT" in board.words.value
    assert "<td class='jwcal-number'>0</td><td class='jwcal-number'>3</td>" in board.words.value
    assert "<b>-7 (-7 to -7)</b> DN" in board.words.value
    change, flags = board.charts
    np.testing.assert_allclose(change.lines[0].y, -7, atol=1e-4)
    assert change.y_axis.label == "after − before (DN)"
    assert flags.lines[0].y.tolist() == [0, 0, 0, 0, 3, 0]


def test_saturation_counts_by_first_group(boards, ramp):
    before = ramp.with_(groupdq=np.zeros_like(ramp.groupdq))
    groupdq = before.groupdq.copy()
    groupdq[:, 4:, 4, 3] = DQ.SATURATED
    groupdq[1, 1:, 8:10, 7] = DQ.SATURATED
    board, report = shown(boards, OneStep("saturation", before, before.with_(groupdq=groupdq)))
    judge(report, board)
    assert board.charts[0].bars.y.tolist() == [0, 2, 0, 0, 1, 0]
    assert "<b>3</b> pixels saturate" in board.words.value
    assert "<b>2</b> of them in group 1 or 2" in board.words.value


def test_refpix_offsets_before_and_after(boards, ramp):
    pixeldq = np.zeros_like(ramp.pixeldq)
    pixeldq[:4] = DQ.REFERENCE_PIXEL
    before = ramp.with_(pixeldq=pixeldq, exposure=replace(ramp.exposure, noutputs=1))
    after = before.with_(data=np.zeros_like(ramp.data))
    board, report = shown(boards, OneStep("refpix", before, after))
    judge(report, board)
    one, other = board.charts
    assert one.y_axis.scale.max == other.y_axis.scale.max, "the same axis, to compare"
    assert one.lines[0].y == pytest.approx(np.median(before.data[0][:, :4, 1::2], axis=(1, 2)))
    assert (other.lines[0].y == 0).all()
    assert {mark.line_style for mark in one.lines} == {"solid", "dashed"}
    none, report = shown(boards, OneStep("refpix", ramp.with_(pixeldq=0 * pixeldq), after))
    assert "no usable reference pixels" in none.words.value


def test_refpix_that_takes_the_interleaved_pixels_out(boards, ramp):
    exposure = replace(
        ramp.exposure, instrument="NIRSPEC", detector="NRS1", readpatt="NRSIRS2RAPID", subarray="FULL",
        fastaxis=2, slowaxis=1, xsize=2048, ysize=2048, nints=1, ngroups=1,
    )  # fmt: skip

    def frame(rows: int) -> Ramp:
        pixeldq = np.zeros((rows, 2048), np.uint32)
        pixeldq[:, :4] = DQ.REFERENCE_PIXEL
        data = np.broadcast_to(np.float32(rows), (1, 1, rows, 2048))
        groupdq = np.broadcast_to(np.uint8(0), data.shape)
        return Ramp(exposure=exposure, data=data, groupdq=groupdq, pixeldq=pixeldq)

    board, report = shown(boards, OneStep("refpix", frame(3200), frame(2048)))
    judge(report, board)
    assert "<b>3200 → 2048</b> DN" in board.words.value


def test_linearity_follows_the_picked_pixel(boards):
    case = next(case for case in CASES if case.name == "linearity")
    session = session_of(case)
    ny = session.before.data.shape[-2]
    words = set()
    for x in range(4, 9):
        board, report = shown(boards, session, Pixel(x, 5, ny))
        judge(report, board)
        assert f"Pixel x {x}, y 5" in board.words.value
        words.add(board.words.value)
    assert len(words) == 5


def test_jump_shows_the_threshold_and_the_events(boards):
    case = next(case for case in CASES if case.name == "jump-large events")
    session = session_of(case, frame=(40, 40))
    board, report = shown(boards, session)
    judge(report, board)
    threshold = board.charts[1].lines[3]
    assert set(threshold.x) == {session.parameters.rejection_threshold}
    assert "regions of jumps with semi-axes of 3.5 pixels" in board.words.value
    new = session.after.groupdq & ~session.before.groupdq & np.uint8(DQ.JUMP_DET)
    assert f"<b>{np.count_nonzero(new):,}</b> groups flagged" in board.words.value
    assert board.charts[0].lines[0].y.sum() == np.count_nonzero(new)


def test_events_are_outlined(boards):
    case = next(case for case in CASES if case.name == "large_events")
    session = session_of(case, frame=(20, 20))
    board, report = shown(boards, session)
    judge(report, board)
    events = session.after.side_products[0].tables["EVENTS"]
    outlines = report.figures[0].outlines
    assert len(outlines) == len(events) > 0
    np.testing.assert_allclose(outlines[:, 0].min(axis=1) + outlines[:, 0].max(axis=1), 2 * events["xcentroid"],
                               rtol=0.02, atol=0.2)  # fmt: skip
    plain = replace(session, after=session.after.with_(side_products=()))
    assert "save_masks draws them" in shown(boards, plain)[0].words.value


def test_noise_and_mask(boards):
    case = next(case for case in CASES if case.name == "clean_flicker_noise")
    session = session_of(case, frame=(32, 48))
    board, report = shown(boards, session)
    judge(report, board)
    assert "background mask: white" in report.figures[1].caption
    assert [chart.x_axis.label for chart in board.charts]
    saved = replace(
        session, parameters=session.parameters.model_copy(update={"save_mask": True, "save_background": True})
    )
    saved.after = STEPS[case.step](session.before, session.references, saved.parameters, tiles_of())
    board, report = shown(boards, saved)
    again = next(f for f in shown(boards, session)[1].figures[1:] if isinstance(f, Map))
    assert (again.colors == report.figures[1].colors).all(), "the mask found again is that of the step"
    assert "background, last group" in report.figures[2].caption


def tiles_of():
    from jwcal_interactive.tiles import Tiles

    return Tiles(threads=1)


def test_fit_of_single_groups(boards):
    case = replace(next(case for case in CASES if case.name == "ramp_fit"), shape=(1, 1, 1, 1))
    session = session_of(case)
    board, report = shown(boards, session)
    judge(report, board)
    assert "no chi-square" in board.words.value


def test_slopes_that_are_scaled(boards):
    case = next(case for case in CASES if case.name == "gain_scale")
    board, report = shown(boards, session_of(case))
    judge(report, board)
    assert "Median ratio <b>2.5</b>" in board.words.value


def test_guider_slopes(boards, guider, ramp):
    board, report = shown(boards, OneStep("guider_cds", ramp, guider))
    judge(report, board)
    flat = replace(guider, data=guider.data * 2)
    board, report = shown(boards, OneStep("flat_field", guider, flat))
    judge(report, board)
    assert "Median ratio <b>2</b>" in board.words.value


def test_few_spots_are_drawn_larger_and_counts_are_kept():
    hits = np.zeros((640, 640), np.uint16)
    hits[100, 200] = 5
    picture = count_map(hits, "hits")
    assert picture.colors.shape[0] <= 160
    colored = (picture.colors != picture.colors[0, 0]).any(axis=-1)
    assert colored.sum() == 9
    assert "per 4 × 4 pixels" in picture.caption
    assert "5 per" in picture.caption.replace("</span> ", "")


def test_outermost_bins_hold_what_is_beyond():
    line = histogram_line(np.array([-9.0, 0.1, 0.2, 99.0]), 0.0, 1.0, "", bins=2)
    assert line.y.tolist() == [0, 3, 3, 1, 1, 0]


@pytest.fixture
def panel(ramp) -> Iterator[CheckPanel]:
    session = OneStep("superbias", ramp, ramp.with_(data=ramp.data - 3))
    panel = CheckPanel(session, lambda *_place: None, unguarded)
    panel.session = session
    panel.choose("superbias")
    yield panel
    panel.close()


def test_panel_says_why_a_step_was_left_out(panel):
    panel.session.state = StepStatus("skipped", "there is no superbias reference (N/A)")
    panel.refresh()
    panel.wait(10)
    assert "Left out: there is no superbias reference (N/A)." in panel._head.value
    assert panel._body.children == ()
    panel.session.state = StepStatus("pending")
    panel.refresh()
    assert "Run the step" in panel._head.value
    panel.session.state = StepStatus("done")
    panel.refresh()
    panel.wait(10)
    assert len(panel._body.children) == 1
    panel.choose("input")
    panel.refresh()
    assert panel._body.children == ()


def test_a_click_on_a_picture_picks_a_pixel(boards, ramp):
    picked: list[tuple[int, int, int]] = []
    board = preview_for("superbias", lambda *place: picked.append(place), unguarded)
    boards.append(board)
    board.show(board.gather(OneStep("superbias", ramp, ramp.with_(data=ramp.data - 3)), Pixel(1, 1, 40)))
    board.maps[0]._clicked(None, {"data": {"click_x": 12.4, "click_y": 7.6}})
    assert picked == [(12, 8, 40)]


def test_cosmic_ray_rate_is_told(boards):
    case = next(case for case in CASES if case.name == "jump-one pass")
    session = session_of(case)
    session.after = session.after.with_(keywords={"PRIMECRS": Keyword(1.25, "")})
    assert "1.25 cosmic rays per 1000 pixels per s" in shown(boards, session)[0].words.value
