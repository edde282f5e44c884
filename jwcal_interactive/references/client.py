"""Asking CRDS: which reference file applies to an exposure, and where it is on disk.

The ``crds`` package does the work. This module gives it its environment (the embedded demo context, or the
user's own ``CRDS_PATH``), turns its many ways to fail into one clear message, and never lets it print.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import ReferenceError, one_line
from jwcal_interactive.instruments import GUIDER_EXP_TYPES
from jwcal_interactive.references.answers import Question, recall, remember
from jwcal_interactive.references.parkeys import crds_header

if TYPE_CHECKING:
    from jwcal_interactive.simulate import DemoCache

__all__ = ["DEMO", "Context", "crds_environment", "demo_cache_root", "find_references", "open_context"]

DEMO = "demo"  # name of the embedded context
_NOT_APPLICABLE = "N/A"
_SERVER = "https://jwst-crds.stsci.edu"
_SERVERLESS = "https://crds-serverless-mode.stsci.edu"  # refused by ``crds`` itself, without network
_NO_SERVER = {"CRDS_SERVER_URL": None, "CRDS_MODE": None, "CRDS_READONLY_CACHE": "1"}
_ANSWER_SECONDS = "30"  # ``crds`` would wait for an hour
# How a server fails: no connection, no answer, an answer that is not one; ``crds`` also ends the process.
_NO_ANSWER = (OSError, http.client.HTTPException, json.JSONDecodeError, SystemExit)
_lock = threading.RLock()
_asked_cache: list[str] = []  # the cache whose mappings ``crds`` remembers; at most one


@dataclass(frozen=True)
class Context:
    """Where references come from.

    Attributes
    ----------
    name : str
        ``demo`` for the embedded context, else a CRDS context such as ``jwst_1364.pmap``; empty for the one
        that is in operation.
    environment : mapping
        Variables that ``crds`` reads, set (``None``: unset) only while it is called.
    demo : DemoCache, optional
        Makes the files of the embedded context when they are asked for.
    """

    name: str
    environment: Mapping[str, str | None]
    demo: DemoCache | None = None

    @property
    def pmap(self) -> str | None:
        """Mapping name to ask ``crds`` with; ``None`` lets it choose the one in operation."""
        return self.environment.get("CRDS_CONTEXT")


def demo_cache_root() -> Path:
    """Folder of the embedded context's CRDS cache (JWCAL_DEMO_CACHE, or the user's cache folder)."""
    chosen = os.environ.get("JWCAL_DEMO_CACHE")
    return Path(chosen or Path(platformdirs.user_cache_dir("jwcal_interactive")) / "demo_crds")


def open_context(
    name: str | None = None,
    progress: Callable[[str], None] | None = None,
    exposure: Exposure | None = None,
) -> Context:
    """Choose the source of references.

    Parameters
    ----------
    name : str, optional
        ``"demo"`` for the embedded context (made on first use, no network), a CRDS context like
        ``"jwst_1364.pmap"`` (the ending may be left out), or nothing for CRDS_CONTEXT or the context in
        operation.
    progress : callable, optional
        Told what happens while references of the embedded context are made.
    exposure : Exposure, optional
        What will be calibrated: the embedded context gets its references now, and only those. Without it,
        those of the demonstration.
    """
    if name == DEMO:
        return _open_demo(progress, exposure)
    environment: dict[str, str | None] = {
        "CRDS_PATH": os.environ.get("CRDS_PATH", str(Path.home() / "crds_cache")),
        "CRDS_SERVER_URL": os.environ.get("CRDS_SERVER_URL", _SERVER),
        "CRDS_CLIENT_TIMEOUT_SECONDS": os.environ.get("CRDS_CLIENT_TIMEOUT_SECONDS", _ANSWER_SECONDS),
    }
    pmap = name or os.environ.get("CRDS_CONTEXT")
    if pmap:
        if re.fullmatch(r"jwst_[\w-]+", pmap):
            pmap += ".pmap"
        if not re.fullmatch(r"jwst_[\w-]+\.pmap|jwst-[\w:-]+", pmap):
            raise ReferenceError(
                f"context {pmap!r} is unknown: give a CRDS context such as jwst_1364.pmap, or {DEMO!r} for "
                "the embedded one that needs no network."
            )
        environment["CRDS_CONTEXT"] = pmap
    return Context(pmap or "", environment)


def _open_demo(progress: Callable[[str], None] | None, exposure: Exposure | None) -> Context:
    from jwcal_interactive.simulate import build_demo_cache, open_demo_cache

    if exposure is None:
        cache = build_demo_cache(demo_cache_root(), progress=progress)
    else:
        cache = open_demo_cache(demo_cache_root())
        guiding = exposure.exp_type in GUIDER_EXP_TYPES
        cache.make_for(
            exposure.detector, exposure.subarray, exposure.readpatt, guiding=guiding, progress=progress
        )
    return Context(DEMO, {**_NO_SERVER, **cache.environment}, cache)


@contextlib.contextmanager
def crds_environment(context: Context) -> Iterator[None]:
    """Set the variables, and the server that ``crds`` remembers, for one call.

    ``crds`` keeps mappings by name: they are dropped when the cache is another one than in the last call.
    """
    with _lock:
        before = {name: os.environ.get(name) for name in context.environment}
        logger = logging.getLogger("CRDS")
        silent, logger.disabled = logger.disabled, True  # importing crds sets levels and handlers
        _set_environment(context.environment)
        try:
            from crds.client import api

            api.set_crds_server(context.environment["CRDS_SERVER_URL"] or _SERVERLESS)
            try:
                _forget_other_mappings(str(context.environment["CRDS_PATH"]))
                yield
            finally:
                api.set_crds_server(before["CRDS_SERVER_URL"] or _SERVERLESS)
                if before["CRDS_PATH"] != context.environment["CRDS_PATH"]:
                    _forget_other_mappings("")  # other users of crds in this process have their own cache
        finally:
            _set_environment(before)
            logger.disabled = silent


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _forget_other_mappings(cache: str) -> None:
    from crds.core import utils

    if _asked_cache != [cache]:
        utils.clear_function_caches()
        _asked_cache[:] = [cache]


def find_references(
    context: Context, exposure: Exposure, reftypes: tuple[str, ...]
) -> tuple[str, dict[str, str | None]]:
    """Best references of an exposure.

    Parameters
    ----------
    context : Context
        Where to look.
    exposure : Exposure
        Its header selects.
    reftypes : tuple of str
        Types to look up, ``pars-*`` types too.

    Returns
    -------
    pmap : str
        Name of the context that answered, e.g. ``jwst_1364.pmap``.
    paths : dict
        Local path per type; ``None`` where CRDS says N/A, or does not know a ``pars-*`` type.

    Raises
    ------
    ReferenceError
        If CRDS cannot be reached and has no cache, its rules are damaged, or they have no match.
    """
    question = Question(context.environment, crds_header(exposure), reftypes)
    if known := recall(question):
        return known
    with crds_environment(context):
        from crds.core import exceptions

        try:
            pmap, paths = _ask(context, exposure, reftypes)
            remember(question, pmap, paths, _deciding(pmap, exposure, reftypes))
        except (exceptions.MappingError, UnicodeDecodeError) as error:
            raise ReferenceError(_damaged(context, error)) from error
        except (
            exceptions.CrdsDownloadError,
            exceptions.CrdsNetworkError,
            exceptions.ServiceError,
            *_NO_ANSWER,
        ) as error:
            raise ReferenceError(_unreachable(context, error)) from error
        except exceptions.CrdsError as error:
            raise ReferenceError(
                f"CRDS gives no answer for {context.name or 'the context in operation'}: "
                f"{type(error).__name__}: {one_line(error)}. Choose another --context, or give every "
                "reference with --steps.STEP.override_TYPE=FILE."
            ) from error
    return pmap, paths


def _deciding(pmap: str, exposure: Exposure, reftypes: tuple[str, ...]) -> list[str]:
    """Names of the mappings that decide on reference types."""
    from crds.core import exceptions, rmap

    context = rmap.get_cached_mapping(pmap)
    instrument = context.get_imap(exposure.instrument.lower())
    names = [pmap, instrument.name]
    for reftype in reftypes:
        with contextlib.suppress(exceptions.IrrelevantReferenceTypeError, exceptions.CrdsUnknownReftypeError):
            names.append(instrument.get_rmap(reftype).name)
    return [str(name) for name in names]


def _ask(context: Context, exposure: Exposure, reftypes: tuple[str, ...]) -> tuple[str, dict[str, str | None]]:
    import crds
    from crds.core import exceptions, heavy_client

    header = crds_header(exposure)
    pmap = _mapping_name(heavy_client, context)
    answers: dict[str, str] = {}
    for reftype in reftypes:
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # crds prints the traceback of what it raises
                answers |= crds.getrecommendations(
                    header, reftypes=[reftype], context=pmap, observatory="jwst", fast=True
                )
        except (
            exceptions.CrdsLookupError,
            exceptions.CrdsUnknownInstrumentError,
            exceptions.CrdsUnknownReftypeError,
        ) as error:
            answers[reftype] = f"NOT FOUND {error}"
    wanted = [t for t, a in answers.items() if _NOT_APPLICABLE not in a.upper() and "NOT FOUND" not in a]
    missing = [
        f"{t} ({a.removeprefix('NOT FOUND').strip()})"
        for t, a in answers.items()
        if "NOT FOUND" in a and _NOT_APPLICABLE not in a.upper() and not t.startswith("pars-")
    ]
    if missing:
        raise ReferenceError(
            f"{exposure.filename}: CRDS context {pmap} has no reference of type {'; '.join(missing)} for "
            f"{exposure.instrument} {exposure.detector}, EXP_TYPE {exposure.exp_type}, SUBARRAY "
            f"{exposure.subarray}. Give one with --steps.STEP.override_TYPE=FILE (or N/A), or choose "
            "another --context."
        )
    if context.demo is not None:
        context.demo.make(answers[t] for t in wanted)
    try:
        found = crds.getreferences(header, reftypes=wanted, context=pmap, observatory="jwst") if wanted else {}
    except (exceptions.CrdsDownloadError, exceptions.CrdsNetworkError) as error:
        files = ", ".join(answers[t] for t in wanted)
        raise ReferenceError(_unreachable(context, error, f" (one of {files})")) from error
    return pmap, {t: str(found[t]) if t in found else None for t in reftypes}


def _mapping_name(heavy_client: Any, context: Context) -> str:
    try:
        return str(heavy_client.get_context_name("jwst", context.pmap))
    except KeyError as error:  # what the cache remembers of the server does not have such a name
        raise ReferenceError(
            f"context {context.name!r} is unknown to the cache CRDS_PATH = {context.environment['CRDS_PATH']}. "
            "Connect to the network, or give a context by its number, such as jwst_1364.pmap."
        ) from error


def _damaged(context: Context, error: BaseException) -> str:
    return (
        f"the rules of CRDS context {context.name or 'in operation'} are damaged ({one_line(error)}). Remove "
        f"the mapping from {context.environment['CRDS_PATH']}/mappings/jwst; it is fetched again when there is "
        "a network."
    )


def _unreachable(context: Context, error: BaseException, files: str = "") -> str:
    path = context.environment["CRDS_PATH"]
    # crds ends the process where it finds neither a server nor what it remembers of one
    reason = "there is no valid config/jwst/server_config" if isinstance(error, SystemExit) else one_line(error)
    return (
        f"CRDS gives no answer for {context.name or 'the context in operation'}: the cache CRDS_PATH = {path} "
        f"does not hold what is needed{files} and the server "
        f"{context.environment['CRDS_SERVER_URL']} cannot be reached ({reason}). Connect to the network, set "
        f"CRDS_PATH to a filled cache, give every reference with --steps.STEP.override_TYPE=FILE, or use "
        f"--context {DEMO} for simulated exposures."
    )
