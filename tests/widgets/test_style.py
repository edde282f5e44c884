"""Colours of the workbench: enough contrast for small text, in light and dark themes."""

from __future__ import annotations

import re

import pytest

from jwcal_widgets.style import STYLE

# Backgrounds that text stands on: --jp-layout-color1 and 2 of JupyterLab's themes.
BACKGROUNDS = {"light": ("#ffffff", "#eeeeee"), "dark": ("#212121", "#424242")}
AA = 4.5  # WCAG 2.2, 1.4.3


def colors(theme):
    light, dark = STYLE.split('[data-jp-theme-light="false"] .jwcal {')
    text = dark.split("}")[0] if theme == "dark" else light
    return dict(re.findall(r"--jwcal-(muted|done|stale|failed|run): (#[0-9a-f]{6})", text))


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_of_all_states_can_be_read(theme):
    found = colors(theme)
    assert set(found) == {"muted", "done", "stale", "failed", "run"}
    for name, color in found.items():
        for background in BACKGROUNDS[theme]:
            assert contrast(color, background) >= AA, (name, color, background)


def test_braces_and_variables_match():
    """A missing brace would void all that follows it in the browser."""
    assert STYLE.count("{") == STYLE.count("}")
    used = set(re.findall(r"var\((--jwcal-[a-z]+)", STYLE))
    assert used <= set(re.findall(r"(--jwcal-[a-z]+):", STYLE))
