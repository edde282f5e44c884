"""What a product says of its making: outcomes, references, context, versions, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwcal_interactive.arrays import Keyword, State
from jwcal_interactive.io.atomic import Together, writable_folder
from jwcal_interactive.io.products import (
    Product,
    ProductWriter,
    product_path,
    products_of,
    write_product,
    write_tree,
)
from jwcal_interactive.pipeline import SKIP_IS_SET, Outcome
from jwcal_interactive.recipes import BEYOND_OFFICIAL
from jwcal_interactive.references.baseline import Baseline
from jwcal_interactive.references.book import R_KEYWORDS, ReferenceBook
from jwcal_interactive.references.client import DEMO
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.version import CAL_VER

__all__ = ["Making", "ProductOutput", "write_all", "write_products", "write_side_products"]

_STATUS = {"done": "COMPLETE", "skipped": "SKIPPED"}


@dataclass(frozen=True)
class Making:
    """How a state was made: the steps that ran, the choices, and where the references came from."""

    outcomes: tuple[Outcome, ...]
    settings: Settings
    baseline: Baseline
    book: ReferenceBook

    def keywords(self) -> dict[str, Keyword]:
        """Primary keywords of the product: S_*, R_*, CRDS_CTX, CRDS_VER, CAL_VER, CAL_VCS."""
        from importlib.metadata import version

        found = {
            "CAL_VER": Keyword(CAL_VER, "Calibration software version number"),
            "CAL_VCS": Keyword("RELEASE", "Calibration software version control sys number"),
        }
        if self.book.pmap:
            found["CRDS_VER"] = Keyword(version("crds"), "Version of CRDS file selection software used")
            found["CRDS_CTX"] = Keyword(self.book.pmap, "CRDS context (.pmap) used to select ref files")
        for outcome in self.outcomes:
            for used in outcome.references:  # of two steps the later one counts, as officially
                if used.origin == "file" or used.reftype not in R_KEYWORDS:
                    continue  # a parameter, or a type without a keyword: told in HISTORY
                name = used.name if used.origin != "crds" else f"crds://{used.name}"
                found[R_KEYWORDS[used.reftype]] = Keyword(name, f"{used.reftype} reference file name")
        for outcome in self.outcomes:
            if outcome.step in BEYOND_OFFICIAL and outcome.reason == SKIP_IS_SET:
                continue  # a product of the official steps alone has their keywords alone
            found[STEPS[outcome.step].keyword] = Keyword(_STATUS[outcome.state], f"{outcome.step} step")
        return found

    def history(self) -> list[str]:
        """Lines that answer "which parameters and references did I use, and what did I edit?"."""
        changed = [
            f"{outcome.step}.{name} = {value} ({source})"
            for outcome in self.outcomes
            for name, value, source in self._choices(outcome.step)
        ]
        used = [
            f"{outcome.step}.{r.reftype}: {r.name} {r.sha256[:16]} ({r.origin})"
            for outcome in self.outcomes
            for r in outcome.references
            if r.sha256
        ]
        lines = [f"{CAL_VER}: parameters that differ from the defaults{'' if changed else ': none'}", *changed]
        if self.settings.edits:
            lines.append(f"{CAL_VER}: flags edited by hand, half-open ranges of the arrays from 0")
            lines += [f"after {edit.after}: {edit.in_words()}" for edit in self.settings.edits]
        lines += [f"note: {note}" for note in self.baseline.notes]
        lines += [f"{CAL_VER}: references of each step with the start of their SHA-256", *used]
        if self.book.context.name == DEMO:
            lines.append("The references are those of the embedded demo context: simulated, not for science.")
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
        path = product_path(state.exposure.filename, product.content.suffix, folder)
        write_product(product, state, path, keywords, history, files)
        paths.append(path)
    return tuple(paths)


def write_all(
    state: State, offered: Iterable[State], folder: Path, making: Making, *, ramp_suffix: str = "ramp"
) -> tuple[Path, ...]:
    """Write the products that hold a state, and the optional products of ``offered`` states, all or none.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    with Together() as files:
        written = write_products(state, folder, making, files, ramp_suffix=ramp_suffix)
        for other in offered:
            written += write_side_products(other, folder, making, files)
    return written


class ProductOutput:
    """Takes bands of a state, or all of it, and writes the products that hold it.

    Parameters
    ----------
    first : Ramp, Rates or GuiderSlopes
        The first band.
    nrows : int or None
        Rows of the whole frame; ``None`` if ``first`` is all.
    folder : Path
    making : Making
        As far as it is known; all keywords of the final one are there.
    files : Together
        The files that these belong to.
    ramp_suffix : str
        Suffix where the state is a ramp.

    Raises
    ------
    OutputError
        In all methods, if a file cannot be written.
    """

    def __init__(
        self,
        first: State,
        nrows: int | None,
        folder: Path,
        making: Making,
        files: Together,
        ramp_suffix: str = "ramp",
    ) -> None:
        self._suffix = ramp_suffix
        keywords, history = making.keywords(), making.history()
        self._writers = tuple(
            ProductWriter(
                product,
                first,
                product_path(first.exposure.filename, product.content.suffix, folder),
                keywords,
                history,
                files,
                nrows,
            )
            for product in products_of(first, ramp_suffix)
        )

    def put(self, state: State, y0: int) -> None:
        """Write rows from ``y0`` on."""
        for writer, product in zip(self._writers, products_of(state, self._suffix), strict=True):
            writer.put(product, y0)

    def close(self, state: State, making: Making) -> tuple[Path, ...]:
        """Write what is known at the end; ``state`` gives the keywords of the whole."""
        keywords, history = making.keywords(), making.history()
        for writer in self._writers:
            writer.close(state, keywords, history)
        return tuple(writer.path for writer in self._writers)


def write_side_products(state: State, folder: Path, making: Making, files: Together) -> tuple[Path, ...]:
    """Write the optional products of the step that made a state, as `write_products` does."""
    paths = []
    for side in state.side_products:
        extension = "asdf" if side.tree else "fits"
        named = product_path(state.exposure.filename, side.suffix, folder, extension)
        path = folder / side.file if side.file else named
        if side.tree:
            write_tree(side.tree, path, files)
        else:
            write_product(Product(side), state, path, making.keywords(), making.history(), files)
        paths.append(path)
    return tuple(paths)
