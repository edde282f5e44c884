"""What the step modules have in common."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import jwcal_interactive.steps as package
from jwcal_interactive.steps.catalogue import STEPS

MODULES = [m.name for m in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_listed(name):
    module = importlib.import_module(f"{package.__name__}.{name}")
    assert module.__all__
    for public in module.__all__:
        assert hasattr(module, public), public


@pytest.mark.parametrize("name", STEPS)
def test_a_step_module_offers_the_step_and_its_parameters(name):
    module = importlib.import_module(f"{package.__name__}.{name}")
    assert getattr(module, name) is STEPS[name]
    assert {name, STEPS[name].params.__name__} <= set(module.__all__)
