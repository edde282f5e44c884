"""Exceptions that users see.

::

    JwcalError                 everything below; the command line prints it and exits with status 2
    |-- InputError             an exposure or product cannot be used (file, HDU, keyword, value)
    |-- ReferenceError         a reference file is missing, unreadable or does not fit the exposure
    |-- ParameterError         unknown step or parameter, value of the wrong type or out of range
    |-- OutputError            a product cannot be written (folder, permission, disk space)
    `-- NotebookError          an exported notebook did not run
    Cancelled                  the user stopped a run; not an error
    Skip                       a step does not apply to this exposure; recorded, not an error
"""

from __future__ import annotations

__all__ = [
    "Cancelled",
    "InputError",
    "JwcalError",
    "NotebookError",
    "OutputError",
    "ParameterError",
    "ReferenceError",
    "Skip",
    "one_line",
]


class JwcalError(Exception):
    """Something that the user can mend; the message says what, where, what is allowed, what next."""


class InputError(JwcalError):
    """An exposure or product cannot be used as input."""


class ReferenceError(JwcalError):
    """A reference file is missing, unreadable, or does not fit the exposure."""


class ParameterError(JwcalError):
    """An unknown step or parameter, or a value that is not allowed."""


class OutputError(JwcalError):
    """A product could not be written."""


class NotebookError(JwcalError):
    """An exported notebook did not run to its end."""


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The user stopped the run."""


class Skip(Exception):  # noqa: N818 - an outcome, not an error
    """A step does not apply to this exposure; the message is the reason shown to the user."""


def one_line(error: BaseException) -> str:
    """Text of another library's exception in one line, to be quoted in a message."""
    return " ".join(str(error).split()) or type(error).__name__
