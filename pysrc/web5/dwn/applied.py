"""What the engine tells of a message that it stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """A message that was stored.

    Parameters:
        seq: its number in the event log; numbers of one database only grow.
        is_latest_base_state: False for an initial write without data, which queries do not see.
        source: who brought the message, such as an endpoint's URL; None if it was made here.
        initial_write: the record's first write, where the message itself is not it.
        values: what its row holds, in the order of `store.indexes.COLUMNS`.
    """

    tenant: str
    message_cid: str
    seq: int
    message: Message
    is_latest_base_state: bool
    source: str | None
    initial_write: Message | None
    values: tuple[Any, ...]


Hook = Callable[[Applied], None]
