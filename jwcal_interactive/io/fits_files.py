"""Opening FITS files, and keeping astropy's warnings out of it, from any thread."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

__all__ = ["open_fits", "without_warnings"]

_filters = threading.RLock()


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Silence warnings in a block, one thread at a time.

    Warning filters belong to the process: threads that set and restore them at the same time would leave
    wrong ones behind. What astropy warns of (odd cards, bytes after the last HDU) is either harmless or
    found by the checks of this package, which say more.
    """
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def open_fits(stream: Any) -> Any:
    """Open a FITS file, read all its headers and check that it is whole.

    astropy ends the list of HDUs before a damaged header, as if the file ended there, and goes on if the end
    is missing; here both are errors.

    Parameters
    ----------
    stream : file object
        Opened by the caller, because ``fits.open`` leaves a file that it refuses open.

    Returns
    -------
    HDUList

    Raises
    ------
    OSError, EOFError, ValueError, TypeError, zlib.error, VerifyError
        As ``fits.open``; OSError for a file that is truncated.
    """
    from astropy.io import fits

    with without_warnings():
        hdus = fits.open(stream, memmap=False, lazy_load_hdus=False)
        last = hdus[-1].fileinfo()
        end = last["datLoc"] + last["datSpan"]
        last["file"].seek(end - 1)
        around = last["file"].read(1 + len(b"XTENSION"))
        if not around:
            raise OSError(f"the file is truncated: it has not the {end} bytes that its headers announce")
        if around.endswith(b"XTENSION"):
            raise OSError(f"the header of extension {len(hdus)} is damaged or cut off")
    return hdus
