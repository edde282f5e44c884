"""Reference files in genuine formats, made from the same pixel maps as the exposures."""

from jwcal_interactive.simulate.references.catalogue import REFERENCE_KINDS
from jwcal_interactive.simulate.references.definition import (
    USEAFTER,
    ReferenceCase,
    ReferenceKind,
    Scope,
)
from jwcal_interactive.simulate.references.writing import write_reference

__all__ = ["REFERENCE_KINDS", "USEAFTER", "ReferenceCase", "ReferenceKind", "Scope", "write_reference"]
