"""One request on its way, and what a line of a table of faults says that becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from web5.dwn.values.types import Message

TIMEOUT = 30.0
WRITES = frozenset({"RecordsWrite", "RecordsDelete", "ProtocolsConfigure"})
READS = frozenset({"MessagesRead"})
PAGES = frozenset({"RecordsQuery"})
LISTS = frozenset({"MessagesQuery"})
PROTOCOLS = frozenset({"ProtocolsQuery"})
ALL = WRITES | READS | PAGES | LISTS | PROTOCOLS | {"MessagesSubscribe", "RecordsSubscribe"}


@dataclass(slots=True)
class Exchange:
    """One request on its way.

    Parameters:
        process: has the endpoint process it, as often as it is called.
        later: has something done while the request goes on, or after it.
        memory: what the endpoint keeps of its lies.
        status, headers: of the HTTP response, as far as they matter.
        pause: the seconds for which the endpoint asked to be left alone.
    """

    kind: str
    random: Random
    process: Callable[[], Awaitable[Message]]
    later: Callable[[Awaitable[Any]], None]
    message: Message
    memory: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of the table.

    Parameters:
        kinds: which requests it can befall.
        act: returns the reply, or raises.
        lies: what devices believe of the endpoint may be wrong until they have listed everything.
    """

    says: str
    kinds: frozenset[str]
    act: Callable[[Exchange], Awaitable[Message]]
    lies: bool = False


async def after(delay: float, exchange: Exchange) -> None:
    await asyncio.sleep(delay)
    await exchange.process()
