"""A fingerprint of arrays, to say that two results are the same bit for bit."""

from __future__ import annotations

import hashlib

import numpy as np

from jwcal_interactive.arrays import State
from jwcal_interactive.io.products import products_of

__all__ = ["digest_state"]


def digest_state(state: State) -> str:
    """SHA-256 over name, type, shape and bytes of every array of the products of a state.

    NaN counts by its bits, so that two equal digests mean arrays that are equal everywhere.
    """
    total = hashlib.sha256()
    for product in products_of(state):
        for name, array in product.content.arrays.items():
            total.update(f"{product.content.suffix}/{name} {array.dtype.str} {array.shape}".encode())
            total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
