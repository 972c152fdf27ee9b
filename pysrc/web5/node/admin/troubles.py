"""The last warnings and errors of the log, in memory, for the operator's page."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from web5.node.http.requests import request_id

KEPT = 50
LONGEST = 300


class Troubles(logging.Handler):
    """The last messages from level "warning" on, bounded in number and length, as the log has them: without data."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            words += f" ({record.exc_info[0].__name__}: {record.exc_info[1]})"
        shown = "".join(char if char.isprintable() else " " for char in words[:LONGEST])
        self._kept.append(
            {"at": int(record.created), "level": record.levelname, "words": shown, "id": request_id.get()}
        )

    def listed(self) -> list[dict[str, Any]]:
        """Return them, newest first."""
        return list(reversed(self._kept))
