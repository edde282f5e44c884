"""What leaves the workbench, and the name that it is given."""

from __future__ import annotations

import pytest

from jwcal_interactive import open_session
from jwcal_widgets import Workbench
from jwcal_widgets.output_bar import name_trouble


class TestOutput:
    def test_export_and_save_beside_the_notebook(self, ran, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        ran.output.name.value = "mine"
        ran.output.export.click()
        ran.output.wait(20)
        assert (tmp_path / "mine.ipynb").is_file()
        assert "href='mine.ipynb'" in ran.output.links
        ran.output.save.click()
        ran.output.wait(20)
        assert open_session(tmp_path / "mine.json").path.resolve() == ran.session.path.resolve()

    @pytest.mark.parametrize("button", ["export", "save", "write"])
    def test_what_a_slider_shows_is_set_before_it_is_written(self, bench, button, tmp_path):
        """It is set half a second after it has come to rest: the button may be pressed before."""
        bench.choose("jump")
        bench.panel.controls["rejection_threshold"].slider.value = 7.0
        assert bench.session.params("jump").rejection_threshold == 4.0
        bench.output.name.value = str(tmp_path / "mine")
        getattr(bench.output, button).click()
        assert bench.session.params("jump").rejection_threshold == 7.0
        bench.output.wait(20)
        if button == "save":
            assert open_session(tmp_path / "mine.json").params("jump").rejection_threshold == 7.0
        bench.messages.clear()  # there are no products before a run

    def test_products(self, ran, tmp_path):
        ran.output.name.value = str(tmp_path / "x")
        ran.output.write.click()
        ran.output.wait(20)
        assert [p.name.rsplit("_", 1)[1] for p in sorted(tmp_path.iterdir())] == [
            "rate.fits",
            "rateints.fits",
        ]

    def test_empty_name_is_refused(self, raw_sub640):
        workbench = Workbench(open_session(raw_sub640, context="demo"))
        workbench.output.name.value = " "
        workbench.output.export.click()
        assert "name of the file" in workbench.messages.shown[-1]

    @pytest.mark.parametrize(
        ("name", "trouble"),
        [
            ("", "is empty"),
            ("folder/", "is empty"),
            ("two\nlines", "not a possible name"),
            ("x" * 300, "not a possible name"),
            ("{file}/mine", "is a file, not a folder"),
            ("{folder}/new/mine", ""),
        ],
    )
    def test_name_is_checked_beside_the_field(self, name, trouble, tmp_path):
        (tmp_path / "file").write_text("")
        found = name_trouble(name.format(file=tmp_path / "file", folder=tmp_path))
        assert trouble in found
        assert bool(found) == bool(trouble)

    def test_buttons_and_words_follow_the_name(self, bench, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        bar = bench.output
        bar.name.value = "mine"
        assert bar._message.layout.display == "none"
        bar.save.click()
        bar.wait(20)
        assert not bar.save.disabled
        assert "open_session(&#x27;mine.json&#x27;) goes on from here" in bar.links
        assert "mine.json: there already" in bar._message.value
        bar.name.value = " "
        assert all(button.disabled for button in (bar.export, bar.save, bar.write))
        assert "is empty" in bar._message.value
        bar.name.value = "other"
        assert not bar.save.disabled

    def test_products_before_a_run_are_refused_in_words(self, raw_sub640, tmp_path):
        workbench = Workbench(open_session(raw_sub640, context="demo"))
        workbench.output.name.value = str(tmp_path / "x")
        workbench.output.write.click()
        workbench.output.wait(20)
        assert "run the session first" in workbench.messages.shown[-1]
