"""Numba types for kernel signatures.

``r_`` types are read-only C-contiguous inputs (writable arrays are accepted too), ``w_`` types are outputs.
The suffix gives the element type and the number of dimensions: ``r_f32_4`` is a read-only float32 array of
shape (nints, ngroups, ny, nx).
"""

from __future__ import annotations

from numba import types

b1 = types.boolean
f64 = types.float64
i64 = types.int64
void = types.void

_f32 = types.float32
_u8 = types.uint8
_u16 = types.uint16
_u32 = types.uint32


def _r(dtype: types.Type, ndim: int) -> types.Array:
    return types.Array(dtype, ndim, "C", readonly=True)


def _w(dtype: types.Type, ndim: int) -> types.Array:
    return types.Array(dtype, ndim, "C")


r_u8_4, r_f32_4 = _r(_u8, 4), _r(_f32, 4)
r_u8_2 = _r(_u8, 2)
r_u16_3, r_f32_3, r_f64_3 = _r(_u16, 3), _r(_f32, 3), _r(f64, 3)
r_b1_2, r_u32_2, r_f32_2, r_f64_2 = _r(b1, 2), _r(_u32, 2), _r(_f32, 2), _r(f64, 2)
r_f64_4 = _r(f64, 4)
r_f64_1, r_f32_1, r_i64_1 = _r(f64, 1), _r(_f32, 1), _r(i64, 1)
r_b1_3, r_i64_2 = _r(b1, 3), _r(i64, 2)

w_u8_4, w_f32_4 = _w(_u8, 4), _w(_f32, 4)
w_u16_3, w_u32_3, w_f32_3 = _w(_u16, 3), _w(_u32, 3), _w(_f32, 3)
w_b1_2, w_u32_2, w_f32_2, w_f64_2 = _w(b1, 2), _w(_u32, 2), _w(_f32, 2), _w(f64, 2)
w_i64_1, w_f64_1 = _w(i64, 1), _w(f64, 1)
w_f64_3, w_f32_1 = _w(f64, 3), _w(_f32, 1)
w_u8_2, w_i64_2 = _w(_u8, 2), _w(i64, 2)
w_f32_5 = _w(_f32, 5)
r_u32_3 = _r(_u32, 3)
