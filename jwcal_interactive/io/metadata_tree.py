"""The ASDF extension of JWST files: metadata as a tree, of which FITS keywords hold only a part.

The extension is one table cell with the text of an ASDF file (ASDF standard, section "ASDF in FITS"). Its
``meta`` tree is carried from the raw exposure to the products; arrays are left to the FITS extensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jwcal_interactive.errors import InputError, one_line

__all__ = ["metadata_bytes", "read_metadata", "tree_of_text"]

_COLUMN = "ASDF_METADATA"
_HEAD = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
_END = b"...\n"
_BLOCK = 2880  # bytes, of which FITS files are made


def read_metadata(path: Path, hdu: Any) -> dict[str, Any]:
    """Read the ``meta`` tree of an ASDF extension as plain mappings, lists and values.

    The text is the cell of a table or, in the older form, the bytes of an image. A tree without ``meta``
    has no metadata.

    Raises
    ------
    InputError
        If the extension is damaged.
    """
    import yaml

    try:
        cell = hdu.data if hdu.is_image else hdu.data[_COLUMN]
        tree = tree_of_text(np.asarray(cell).tobytes())
        return dict(dict(tree or {}).get("meta") or {})
    except (yaml.YAMLError, ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(
            f"{path}[ASDF]: the metadata cannot be read ({type(error).__name__}: {one_line(error)}). "
            "Download the exposure again."
        ) from None


def tree_of_text(content: bytes) -> Any:
    """Tree of an ASDF file, as plain mappings, lists and values; arrays are left out.

    Raises
    ------
    ValueError, yaml.YAMLError
        If it is not ASDF.
    """
    import yaml

    text = content.partition(b"\n" + _END)[0]
    if not text.startswith(b"#ASDF"):
        raise ValueError("it does not begin with #ASDF")
    return yaml.load(text, Loader=_plain_loader())


def metadata_bytes(meta: Mapping[str, Any]) -> bytes:
    """Make an ASDF extension that holds a ``meta`` tree: bytes of header and data.

    It is put together here because the tables of astropy take longer to load than an image to calibrate.
    """
    import yaml
    from astropy.io import fits

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, where there is one
    body = yaml.dump({"meta": dict(meta)}, Dumper=dumper, encoding="utf-8", allow_unicode=True)
    text = _HEAD + body + _END
    header = fits.Header(
        [
            ("XTENSION", "BINTABLE", "binary table extension"),
            ("BITPIX", 8, "array data type"),
            ("NAXIS", 2, "number of array dimensions"),
            ("NAXIS1", len(text), "length of dimension 1"),
            ("NAXIS2", 1, "length of dimension 2"),
            ("PCOUNT", 0, "number of group parameters"),
            ("GCOUNT", 1, "number of groups"),
            ("TFIELDS", 1, "number of table fields"),
            ("TTYPE1", _COLUMN),
            ("TFORM1", f"{len(text)}B"),
            ("EXTNAME", "ASDF", "extension name"),
        ]
    )
    head: bytes = header.tostring().encode("ascii")
    filled: bytes = text.ljust(-(-len(text) // _BLOCK) * _BLOCK, b"\0")
    return head + filled


def _plain_loader() -> Any:
    """Loader that takes what tagged nodes hold, whatever the tag."""
    import yaml

    class Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    def construct(loader: Any, _tag: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Plain.add_multi_constructor("", construct)
    return Plain
