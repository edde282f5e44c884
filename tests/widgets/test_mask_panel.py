"""Flags by hand: the fields, what they ask of the session, and the list of edits."""

from __future__ import annotations

import html

import pytest

from jwcal_interactive import DQ, open_session
from jwcal_widgets.mask_panel import MaskPanel
from jwcal_widgets.messages import Messages


class Stage:
    """A mask panel whose other parts are lists of what was asked of them."""

    def __init__(self, session):
        self.session = session
        self.changes, self.painting, self.outlines = [], [], []
        self.region = None
        self.pixel = (3, 5, session.exposure.ysize)
        self.messages = Messages()
        self.panel = MaskPanel(
            session,
            lambda: self.changes.append(session.settings.edits),
            lambda: self.pixel,
            lambda: self.region,
            self.painting.append,
            self.outlines.append,
            self.messages.guarded,
        )
        self.panel.refresh()

    def apply(self):
        self.panel.apply.click()
        self.panel.refresh()
        assert self.messages.shown == []


@pytest.fixture
def stage(tiny_raw, tiny_context):
    stage = Stage(open_session(tiny_raw))
    yield stage
    stage.panel.close()


def test_a_bad_column_reaches_the_slopes_and_undo_takes_it_back(stage):
    panel, session = stage.panel, stage.session
    panel.fill["column"].click()
    stage.apply()
    (edit,) = session.settings.edits
    assert edit.boxes == ((3, 0, 4, session.exposure.ysize),)
    assert (edit.after, edit.flag, edit.action, edit.groups) == ("dq_init", "DO_NOT_USE", "set", None)
    assert len(stage.changes) == 1
    session.run()
    dq = session.result("ramp_fit").rate.dq
    assert ((dq[:, 3] & DQ.DO_NOT_USE) != 0).all()
    assert not ((dq[:, 5] & DQ.DO_NOT_USE) != 0).all()
    session.undo()
    panel.refresh()
    assert panel.edits.options == ()
    assert panel.remove.disabled


def test_groups_of_some_integrations(stage):
    """Numbers in the fields count from 1 and include the last one."""
    panel, exposure = stage.panel, stage.session.exposure
    panel.after.value = "jump"
    panel.scope.value = "groups"
    assert "JUMP_DET" in panel.flag.options
    assert "DEAD" not in panel.flag.options, "GROUPDQ has eight bits"
    panel.flag.value = "JUMP_DET"
    panel.action.value = "clear"
    panel.groups.value = (2, 3)
    panel.fill["pixel"].click()
    stage.apply()
    (edit,) = stage.session.settings.edits
    assert (edit.action, edit.groups, edit.integrations) == ("clear", (1, 3), None)
    assert edit.boxes == ((3, 5, 4, 6),)
    if exposure.nints > 1:
        panel.integrations.value = (1, 1)
        stage.apply()
        assert stage.session.settings.edits[1].integrations == (0, 1)


def test_slopes_have_no_groups(stage):
    panel = stage.panel
    panel.scope.value = "groups"
    panel.after.value = "ramp_fit"
    assert panel.scope.value == "detector pixels"
    assert panel.scope.disabled
    assert panel.groups.layout.display == "none"
    stage.apply()
    assert stage.session.settings.edits[0].groups is None


def test_painted_pixels_take_the_place_of_columns_and_rows(stage):
    exposure = stage.session.exposure
    stage.panel.paint.value = True
    assert stage.painting == [True]
    stage.panel.add_painted([(3, 2, 6, 3)], exposure.ysize)
    stage.panel.add_painted([(5, 2, 7, 3), (1, 7, 2, 8)], exposure.ysize)
    assert "<b>3</b> painted areas" in stage.panel._painted_words.value
    assert stage.outlines[-1] == ((3, 2, 6, 3), (5, 2, 7, 3), (1, 7, 2, 8))
    assert stage.panel.ends["x0"].disabled
    stage.apply()
    (edit,) = stage.session.settings.edits
    assert edit.boxes == ((3, 2, 7, 3), (1, 7, 2, 8)), "what overlaps is named once"
    assert stage.outlines[-1] == ()
    assert not stage.panel.ends["x0"].disabled


def test_pixels_painted_in_a_frame_of_another_height_are_refused(stage):
    stage.panel.add_painted([(3, 2, 6, 3)], 2 * stage.session.exposure.ysize)
    stage.apply()
    assert "and paint there" in stage.panel.error
    assert stage.changes == []
    stage.panel.forget_button.click()
    assert stage.outlines[-1] == ()
    assert stage.panel.forget_button.disabled


def test_the_region_of_the_image_fills_columns_and_rows(stage):
    stage.panel.fill["region"].click()
    assert "No region was chosen" in stage.panel.error
    stage.region = (2, 3, 6, 9)
    stage.panel.fill["region"].click()
    assert stage.panel.error == ""
    stage.apply()
    assert stage.session.settings.edits[0].boxes == ((2, 3, 6, 9),)


def test_edits_are_listed_and_removed(stage):
    panel, session = stage.panel, stage.session
    for row in (1, 2):
        stage.pixel = (0, row, session.exposure.ysize)
        panel.fill["row"].click()
        stage.apply()
    labels = [label for label, _ in panel.edits.options]
    assert [label.split(":")[0] for label in labels] == ["1 after dq_init", "2 after dq_init"]
    assert panel.edits.value == 1
    assert "session.edit_flags" in html.unescape(panel._code.value)
    panel.edits.value = 0
    panel.remove.click()
    panel.refresh()
    assert [edit.boxes[0][1] for edit in session.settings.edits] == [2]
    assert session.can_undo, "a removal is an entry of the history too"


def test_what_is_not_possible_is_said_beside_the_button(stage):
    panel = stage.panel
    panel.ends["x0"].value, panel.ends["x1"].value = 5, 2
    stage.apply()
    assert "first column, 5, is beyond the last, 2" in panel.error
    assert "first column" in panel._message.value
    assert stage.changes == []
    panel.ends["x1"].value = 5
    stage.apply()
    assert panel.error == ""
