"""The settings that undo and redo move over."""

from __future__ import annotations

from collections.abc import Sequence

from jwcal_interactive.settings import Settings

__all__ = ["Timeline"]


class Timeline:
    """Settings in the order in which they were chosen, and which of them hold.

    Parameters
    ----------
    settings : sequence of Settings
        Oldest first; at least one.
    position : int
        Index of those that hold.
    """

    def __init__(self, settings: Sequence[Settings] = (Settings(),), position: int = 0) -> None:
        self._settings = list(settings)
        self._position = position

    @property
    def present(self) -> Settings:
        """The settings that hold."""
        return self._settings[self._position]

    @property
    def settings(self) -> tuple[Settings, ...]:
        """All settings, those taken back too."""
        return tuple(self._settings)

    @property
    def position(self) -> int:
        """Index of the settings that hold."""
        return self._position

    def append(self, settings: Settings) -> None:
        """Choose new settings; those that were taken back are forgotten."""
        del self._settings[self._position + 1 :]
        self._settings.append(settings)
        self._position += 1

    def move(self, by: int) -> bool:
        """Go back (-1) or forth (+1); whether there was somewhere to go."""
        wanted = self._position + by
        if not 0 <= wanted < len(self._settings):
            return False
        self._position = wanted
        return True
