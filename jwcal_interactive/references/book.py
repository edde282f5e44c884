"""The references of one exposure: looked up once, overridden by the user, loaded when a step needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jwcal_interactive.arrays import Exposure, Reference
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.references.client import Context, find_references
from jwcal_interactive.references.hashes import content_hash

if TYPE_CHECKING:
    from jwcal_interactive.io.reference_files import ReferenceFile

__all__ = ["NOT_APPLICABLE", "R_KEYWORDS", "Overrides", "ReferenceBook", "UsedReference"]

NOT_APPLICABLE = "N/A"

# (step, reference type) -> file, or N/A to run the step without it
Overrides = Mapping[tuple[str, str], str]

# Product keyword that names the reference of a type, of those that have one. A test compares them with the
# schemas of stdatamodels, which have none for pictureframe.
R_KEYWORDS: dict[str, str] = {
    "dark": "R_DARK",
    "emicorr": "R_MIREMI",
    "flat": "R_FLAT",
    "gain": "R_GAIN",
    "ipc": "R_IPC",
    "linearity": "R_LINEAR",
    "mask": "R_MASK",
    "pastasoss": "R_PSTSOS",
    "readnoise": "R_READNO",
    "refpix": "R_REFPIX",
    "reset": "R_RESET",
    "rscd": "R_RSCD",
    "saturation": "R_SATURA",
    "sirskernel": "R_SIRSKL",
    "superbias": "R_SUPERB",
}


def _never_stop() -> None:
    """For callers that read to the end."""


_KEEP_BYTES = 64 << 20  # larger references (coefficients, darks, tables) are read again rather than kept


@dataclass(frozen=True)
class UsedReference:
    """A reference as recorded in history and products; ``sha256`` is empty for N/A."""

    reftype: str
    name: str
    path: str
    sha256: str
    origin: Literal["crds", "override", "N/A", "file"]  # file: named by the parameter `reftype`


class ReferenceBook:
    """References of one exposure.

    Parameters
    ----------
    context : Context
        Where CRDS looks.
    exposure : Exposure
        Selects and cuts the references.
    """

    def __init__(self, context: Context, exposure: Exposure) -> None:
        self.context = context
        self.exposure = exposure
        self.pmap = ""  # name of the CRDS context that answered; empty until it was asked
        self._paths: dict[str, str | None] = {}
        self._loaded: dict[tuple[str, str, int, int, bool, bool], Reference] = {}
        self._opened: dict[tuple[str, str, int, int, bool, bool], ReferenceFile] = {}

    def look_up(self, reftypes: tuple[str, ...]) -> dict[str, str | None]:
        """Paths by type from CRDS (``None`` for N/A); each type is asked for once.

        Raises
        ------
        ReferenceError
            As `find_references`.
        """
        new = tuple(t for t in dict.fromkeys(reftypes) if t not in self._paths)
        if new:
            self.pmap, found = find_references(self.context, self.exposure, new)
            self._paths |= found
        return {t: self._paths[t] for t in reftypes}

    def path(self, step: str, reftype: str, overrides: Overrides) -> str | None:
        """File that a step uses for a type; ``None`` for N/A.

        Raises
        ------
        ReferenceError
            If an override does not exist, or CRDS has no answer.
        """
        chosen = overrides.get((step, reftype))
        if chosen is None:
            return self.look_up((reftype,))[reftype]
        if chosen.upper() == NOT_APPLICABLE:
            return None
        if not Path(chosen).is_file():
            raise ReferenceError(
                f"override of {reftype} in step {step}: {chosen}: no such file. Check the path, or give N/A "
                "to run without this reference."
            )
        return chosen

    def used(
        self, step: str, reftype: str, overrides: Overrides, check: Callable[[], None] = _never_stop
    ) -> UsedReference:
        """Describe the reference that a step uses, with its content hash; ``check`` raises to stop."""
        path = self.path(step, reftype, overrides)
        if path is None:
            return UsedReference(reftype, NOT_APPLICABLE, "", "", "N/A")
        origin: Literal["crds", "override"] = "override" if (step, reftype) in overrides else "crds"
        return UsedReference(reftype, Path(path).name, path, content_hash(path, check), origin)

    def file(
        self, step: str, parameter: str, path: str, kind: str, check: Callable[[], None] = _never_stop
    ) -> tuple[Reference | None, tuple[UsedReference, ...]]:
        """Content of a file that a parameter names, and how it is recorded.

        Parameters
        ----------
        step, parameter, path : str
        kind : str
            Its format, as in `ParamInfo.file`. Files in the format of a reference are cut to the exposure.
        check : callable
            Called while a large file is read; raises to stop.

        Returns
        -------
        content : Reference or None
            ``None`` for a file that need not exist, and does not.
        used : tuple of UsedReference

        Raises
        ------
        InputError, ReferenceError
            If the file is missing or unreadable.
        """
        from jwcal_interactive.io.earlier import exposure_files, read_earlier
        from jwcal_interactive.io.reference_files import read_reference
        from jwcal_interactive.io.user_files import existing_file, is_new, read_tree, read_user_file

        where = f"{step}.{parameter}"

        def recorded(file: Path) -> UsedReference:
            sha256 = content_hash(file, check) if file.exists() else ""
            return UsedReference(parameter, file.name, str(file), sha256, "file")

        if kind == "exposures":
            loaded = read_earlier(exposure_files(path, where), self.exposure, where)
            return loaded, tuple(recorded(file.path) for file in loaded.tree["exposures"])
        if is_new(path, kind):
            return None, (recorded(Path(path)),)
        found = existing_file(path, where, kind)
        if kind == "image":
            loaded = read_user_file(found, where)
        elif kind == "tree":
            loaded = read_tree(found, where)
        else:
            loaded = read_reference(found, kind, self.exposure, check=check)
        return loaded, (recorded(found),)

    def open(self, step: str, reftype: str, overrides: Overrides, *, exact: bool) -> ReferenceFile | None:
        """Open the reference that a step uses, to be read in parts; ``None`` for N/A.

        Raises
        ------
        ReferenceError
            If the file is unreadable or does not fit.
        """
        from jwcal_interactive.io.reference_files import open_reference

        path = self.path(step, reftype, overrides)
        if path is None:
            return None
        key = self._key(step, reftype, path, overrides, exact)
        if key not in self._opened:
            chosen_by_crds = (step, reftype) not in overrides
            file = open_reference(path, reftype, self.exposure, exact=exact, chosen_by_crds=chosen_by_crds)
            if file.table_bytes > _KEEP_BYTES:
                return file
            self._opened[key] = file
        return self._opened[key]

    def close(self) -> None:
        """Close the files that `open` opened, and drop what `load` read."""
        for file in self._opened.values():
            file.close()
        self._opened.clear()
        self.forget()

    def forget(self) -> None:
        """Drop the arrays that `load` has kept."""
        self._loaded.clear()

    def _key(
        self, step: str, reftype: str, path: str, overrides: Overrides, exact: bool
    ) -> tuple[str, str, int, int, bool, bool]:
        """Identify the content of a reference."""
        if not Path(path).is_file():
            raise ReferenceError(f"{reftype} reference {path}: no such file. Was it removed meanwhile?")
        stat = Path(path).stat()
        return reftype, path, stat.st_size, stat.st_mtime_ns, exact, (step, reftype) not in overrides

    def load(
        self,
        step: str,
        reftype: str,
        overrides: Overrides,
        *,
        exact: bool,
        check: Callable[[], None] = _never_stop,
    ) -> Reference | None:
        """Arrays of the reference that a step uses, cut to the exposure; ``None`` for N/A.

        ``check`` is called while a large file is read; it raises to stop.

        Raises
        ------
        ReferenceError
            If the file is unreadable or does not fit.
        """
        from jwcal_interactive.io.reference_files import read_reference

        path = self.path(step, reftype, overrides)
        if path is None:
            return None
        key = self._key(step, reftype, path, overrides, exact)
        if key in self._loaded:
            return self._loaded[key]
        if key in self._opened:  # tables are read when a file is opened
            reference = self._opened[key].cut(check=check)
        else:
            chosen_by_crds = (step, reftype) not in overrides
            reference = read_reference(
                path, reftype, self.exposure, exact=exact, chosen_by_crds=chosen_by_crds, check=check
            )
        if reference.data.nbytes + sum(t.nbytes for t in reference.tables.values()) <= _KEEP_BYTES:
            self._loaded[key] = reference
        return reference
