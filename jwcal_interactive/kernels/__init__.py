"""Pixel-wise numba kernels, one module per step.

Rules for a kernel module:

- it imports numpy, scipy, numba, :mod:`.compiling`, :mod:`.signatures` and the DQ bits only, and keeps its
  helpers to itself (numba's disk cache does not notice a change in a helper of another module);
- kernels are ``@kernel(signature)``, work on the band of detector rows ``y0 <= y < y1`` of whole arrays, and
  write only to arrays named ``out_*``;
- no ``fastmath`` and no ``parallel``: the first changes results, the second cannot be cancelled.
"""
