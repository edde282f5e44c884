"""The image of a session that has run: what it shows, how it is painted."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ


class TestImage:
    @pytest.fixture(autouse=True)
    def on_jump(self, ran):
        ran.image.source.follow.value = True
        ran.choose("jump")
        ran.image.source.plane.value = "group"

    def test_it_follows_the_rail_until_a_step_is_chosen(self, ran):
        source = ran.image.source
        ran.choose("saturation")
        assert source.step.value == "saturation"
        source.step.value = "ramp_fit"
        assert source.follow.value is False
        ran.choose("jump")
        assert source.step.value == "ramp_fit"
        source.follow.value = True

    def test_group_slider_changes_the_plane(self, ran):
        ramp = ran.session.result("jump")
        ran.image.source.group.value = 3
        np.testing.assert_array_equal(ran.image.view.plane.data, ramp.data[0, 2])
        ran.image.source.integration.value = 2
        np.testing.assert_array_equal(ran.image.view.plane.data, ramp.data[1, 2])
        ran.image.source.integration.value = 1

    def test_differences_have_one_group_less(self, ran):
        source = ran.image.source
        ngroups = ran.session.exposure.ngroups
        source.group.value = ngroups
        source.plane.value = "difference"
        assert source.group.max == ngroups - 1
        source.plane.value = "group"
        assert source.group.value == ngroups

    def test_plane_choice_is_remembered_by_kind_of_result(self, ran):
        source = ran.image.source
        source.plane.value = "difference"
        ran.choose("ramp_fit")
        assert source.plane.value in {"slope", "error"}
        source.plane.value = "error"
        ran.choose("jump")
        assert source.plane.value == "difference"
        ran.choose("ramp_fit")
        assert source.plane.value == "error"
        source.plane.value = "slope"

    def test_flags_are_counted_and_painted(self, ran):
        image = ran.image
        plane = image.view.plane
        label = image.flags._boxes[DQ.JUMP_DET]._label.value
        assert f"{np.count_nonzero(plane.dq & DQ.JUMP_DET):,}" in label
        image.flags.check(DQ.JUMP_DET).value = True
        assert image.view._dq.mark.visible
        image.flags.check(DQ.JUMP_DET).value = False
        assert not image.view._dq.mark.visible

    def test_flags_of_any_group_show_all_jumps_of_an_integration(self, ran):
        image, ramp = ran.image, ran.session.result("jump")
        image.source.group.value = 4
        jumps = (ramp.groupdq[0] & DQ.JUMP_DET) != 0
        for any_group, expected in ((True, jumps.any(axis=0)), (False, jumps[3])):
            image.flags.any_group.value = any_group
            np.testing.assert_array_equal((image.view.plane.dq & DQ.JUMP_DET) != 0, expected)
            assert f"{expected.sum():,}<" in image.flags._boxes[DQ.JUMP_DET]._label.value

    def test_typed_limits_are_kept_until_the_unit_changes(self, ran):
        display = ran.image.display
        display.low.value = "-10"
        assert display.method.value == "manual"
        assert ran.image.view.limits[0] == -10
        ran.image.source.group.value = 2
        assert ran.image.view.limits[0] == -10
        ran.choose("ramp_fit")
        assert display.method.value == "99.5 %"
        assert ran.image.view.limits[0] != -10

    @pytest.mark.parametrize("text", ["", "low", "nan", "1e9"])
    def test_odd_limits_are_explained(self, ran, text):
        limits = ran.image.view.limits
        ran.image.display.low.value = text
        assert "must be" in ran.image.display._message.value
        assert ran.image.view.limits == limits
        ran.image.display.method.value = "99 %"
        ran.image.display.method.value = "99.5 %"
        assert ran.image.display._message.value == ""

    def test_stretch_and_map_change_the_picture(self, ran):
        pictures = {ran.image.view.picture}
        ran.image.display.stretch.value = "log"
        pictures.add(ran.image.view.picture)
        ran.image.display.colormap.value = "viridis"
        pictures.add(ran.image.view.picture)
        assert len(pictures) == 3
        ran.image.display.stretch.value = "asinh"
        ran.image.display.colormap.value = "gray"

    def test_buttons_zoom(self, ran):
        view, buttons = ran.image.view, ran.image.buttons
        buttons["expand"].click()
        width = view.window.width
        buttons["search-plus"].click()
        assert view.window.width == pytest.approx(width / 2)
        ran.image.pick(100, 200)
        buttons["crosshairs"].click()
        window = view.window
        assert (window.x0 + window.x1) / 2 == pytest.approx(100)
        assert window.width == pytest.approx(32)
        buttons["expand"].click()

    def test_pan_mode_and_inspect_mode(self, ran):
        ran.image.mode.value = "pan and zoom"
        assert ran.image.view.widget.interaction is not None
        ran.image.mode.value = "inspect"
        assert ran.image.view.widget.interaction is None
