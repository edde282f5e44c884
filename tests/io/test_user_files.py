"""Files that parameters name."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from jwcal_interactive.errors import InputError
from jwcal_interactive.io.user_files import native_table, read_user_file


def test_images_and_tables(tmp_path):
    table = np.array([(1, 2.5)], dtype=[("A", ">i4"), ("B", ">f8")])
    path = tmp_path / "mask.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            fits.ImageHDU(np.arange(6, dtype=">i2").reshape(2, 3), name="MASK"),
            fits.ImageHDU(np.ones((2, 3), np.uint32), name="dq"),
            fits.BinTableHDU(table, name="LIST"),
        ]
    ).writeto(path)
    found = read_user_file(path, "step.mask")
    assert found.reftype == "mask"
    assert set(found.arrays) == {"MASK", "DQ"}
    assert found.arrays["MASK"].dtype == np.int16
    np.testing.assert_array_equal(found.data, np.ones((2, 3)))  # DQ is preferred to other names
    assert found.tables["LIST"]["B"][0] == 2.5


def test_image_in_the_primary_hdu(tmp_path):
    path = tmp_path / "mask.fits"
    fits.PrimaryHDU(np.full((2, 2), 7, np.uint8)).writeto(path)
    np.testing.assert_array_equal(read_user_file(path, "step.mask").data, np.full((2, 2), 7))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("nothing"), "cannot be read as a FITS file"),
        (lambda path: fits.PrimaryHDU().writeto(path), "no image"),
    ],
)
def test_bad_files_are_told_with_the_parameter(tmp_path, make, says):
    path = tmp_path / "mask.fits"
    make(path)
    with pytest.raises(InputError, match=says) as raised:
        read_user_file(path, "clean_flicker_noise.user_mask")
    assert "clean_flicker_noise.user_mask" in str(raised.value)


def test_tables_with_unsigned_numbers(tmp_path):
    """FITS stores them as signed ones with an offset (TZERO)."""
    table = np.array([(1, 1 << 31), (4, 5)], dtype=[("OUTPUT", np.uint16), ("MASK", np.uint32)])
    path = tmp_path / "reference.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table, name="DQ")]).writeto(path)
    with fits.open(path) as hdus:
        found = native_table(hdus["DQ"].data)
    assert found.dtype["MASK"] == np.uint32
    np.testing.assert_array_equal(found["OUTPUT"], [1, 4])
    np.testing.assert_array_equal(found["MASK"], [1 << 31, 5])
