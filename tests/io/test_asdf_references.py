"""References in ASDF: read as a tree, told apart by their metadata, and written as side products."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import asdf
import numpy as np
import pytest
from asdf.exceptions import AsdfSerializationError

from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.products import product_path, write_tree
from jwcal_interactive.io.reference_files import read_reference

MIRI = SimpleNamespace(instrument="MIRI", detector="MIRIMAGE")
META = {"reftype": "emicorr", "instrument": {"name": "MIRI"}}


def write(path, **tree):
    with Together() as files:
        write_tree(tree, path, files)
    return path


def test_tree_of_numbers_names_and_arrays(tmp_path):
    wave = np.linspace(-1, 1, 5, dtype=">f4")
    path = write(
        tmp_path / "e.asdf", meta=META, waves={"Hz10": {"frequency": 10.0, "values": wave}}, names=["a"]
    )
    found = read_reference(path, "emicorr", MIRI)
    assert (found.reftype, found.name) == ("emicorr", "e.asdf")
    assert found.tree["names"] == ["a"]
    assert found.tree["waves"]["Hz10"]["frequency"] == 10.0
    np.testing.assert_array_equal(found.tree["waves"]["Hz10"]["values"], wave)
    assert found.keywords == {"REFTYPE": "emicorr", "INSTRUME": "MIRI"}


@pytest.mark.parametrize(
    ("meta", "why"),
    [({"reftype": "dark"}, "REFTYPE is 'dark'"), ({"instrument": {"name": "NIRCAM"}}, "INSTRUME = NIRCAM"),
     ({"instrument": {"name": "MIRI", "detector": "MIRIFULONG"}}, "DETECTOR = MIRIFULONG")],
)  # fmt: skip
def test_reference_for_something_else(meta, why, tmp_path):
    path = write(tmp_path / "e.asdf", meta=META | meta)
    with pytest.raises(ReferenceError, match=why):
        read_reference(path, "emicorr", MIRI)
    assert read_reference(path, "emicorr", MIRI, chosen_by_crds=True).tree["meta"] == META | meta


@pytest.mark.parametrize("meta", [None, "text", {"instrument": "MIRI"}])
def test_metadata_that_say_nothing(meta, tmp_path):
    path = write(tmp_path / "e.asdf", meta=meta, frequencies={})
    assert read_reference(path, "emicorr", MIRI).keywords == {}


def test_damaged_file(tmp_path):
    path = tmp_path / "e.asdf"
    path.write_text("not a tree")
    with pytest.raises(ReferenceError, match=r"e\.asdf: cannot be read as an ASDF file"):
        read_reference(path, "emicorr", MIRI)


def test_file_appears_whole_or_not_at_all(tmp_path):
    path = product_path("jw1_mirimage_uncal.fits", "emi_ref_waves", tmp_path, "asdf")
    assert path == tmp_path / "jw1_mirimage_emi_ref_waves.asdf"
    with pytest.raises(AsdfSerializationError), Together() as files:
        write_tree({"a": np.arange(3), "b": threading.Lock()}, path, files)
    assert list(tmp_path.iterdir()) == []
    write(path, a=np.arange(3))
    with asdf.open(path) as file:
        np.testing.assert_array_equal(file["a"], np.arange(3))
