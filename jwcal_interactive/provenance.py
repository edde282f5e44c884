"""What a product says of its making: outcomes, references, context, versions, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwcal_interactive.arrays import Keyword, State
from jwcal_interactive.io.atomic import Together, writable_folder
from jwcal_interactive.io.products import product_path, products_of, write_product
from jwcal_interactive.pipeline import Outcome
from jwcal_interactive.recipes import NOT_IN_THIS_VERSION
from jwcal_interactive.references.baseline import Baseline
from jwcal_interactive.references.book import NOT_APPLICABLE, R_KEYWORDS
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.version import CAL_VER

__all__ = ["Making", "write_products"]

_STATUS = {"done": "COMPLETE", "skipped": "SKIPPED"}


@dataclass(frozen=True)
class Making:
    """How a state was made: the steps that ran, the choices, and the CRDS context that answered."""

    outcomes: tuple[Outcome, ...]
    settings: Settings
    baseline: Baseline
    pmap: str

    def keywords(self) -> dict[str, Keyword]:
        """Primary keywords of the product: S_*, R_*, CRDS_CTX, CRDS_VER, CAL_VER, CAL_VCS."""
        from importlib.metadata import version

        found = {
            "CAL_VER": Keyword(CAL_VER, "Calibration software version number"),
            "CAL_VCS": Keyword("RELEASE", "Calibration software version control sys number"),
        }
        if self.pmap:
            found["CRDS_VER"] = Keyword(version("crds"), "Version of CRDS file selection software used")
            found["CRDS_CTX"] = Keyword(self.pmap, "CRDS context (.pmap) used to select ref files")
        for outcome in self.outcomes:
            for used in outcome.references:
                name = used.name if used.origin != "crds" else f"crds://{used.name}"
                keyword = R_KEYWORDS[used.reftype]
                if keyword not in found or found[keyword].value == NOT_APPLICABLE:
                    found[keyword] = Keyword(name, f"{used.reftype} reference file name")
        for outcome in self.outcomes:
            keyword = (STEPS.get(outcome.step) or NOT_IN_THIS_VERSION[outcome.step]).keyword
            found[keyword] = Keyword(_STATUS[outcome.state], f"{outcome.step} step")
        return found

    def history(self) -> list[str]:
        """Lines that answer "which parameters and references did I use?"."""
        lines = [f"{CAL_VER}: parameters that differ from the defaults"]
        for outcome in self.outcomes:
            if outcome.step not in STEPS:
                continue
            for name, value, source in self._choices(outcome.step):
                lines.append(f"{outcome.step}.{name} = {value} ({source})")
        lines.append(f"{CAL_VER}: references with the start of their SHA-256")
        seen: dict[tuple[str, str], None] = {}
        for outcome in self.outcomes:
            for used in outcome.references:
                if used.sha256 and (used.reftype, used.sha256) not in seen:
                    seen[used.reftype, used.sha256] = None
                    lines.append(f"{used.reftype}: {used.name} {used.sha256[:16]} ({used.origin})")
        return lines

    def _choices(self, step: str) -> Iterable[tuple[str, Any, str]]:
        user: Mapping[str, Any] = self.settings.of(step)
        params = self.baseline.params[step].model_copy(update=dict(user))
        for name, value in params.changed().items():
            crds = self.baseline.origins.get((step, name), "default")
            yield name, value, "user" if name in user else crds


def write_products(
    state: State, folder: Path, making: Making, files: Together, *, ramp_suffix: str = "ramp"
) -> tuple[Path, ...]:
    """Write the products that hold a state under temporary names; they appear when ``files`` end.

    Parameters
    ----------
    state : Ramp, Rates or GuiderSlopes
        What the last step returned.
    folder : Path
        Created if needed.
    making : Making
        Goes into the headers.
    files : Together
        The files that these belong to.
    ramp_suffix : str
        Suffix where the state is a ramp.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    folder = writable_folder(folder)
    keywords, history = making.keywords(), making.history()
    paths = []
    for product in products_of(state, ramp_suffix):
        path = product_path(state.exposure.filename, product.suffix, folder)
        write_product(product, state, path, keywords, history, files)
        paths.append(path)
    return tuple(paths)
