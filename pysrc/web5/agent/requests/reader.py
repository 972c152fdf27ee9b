"""Questions of somebody who has no DID to the remote DWNs of others; nothing is signed, stored or synced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from web5.agent.requests.messages import RemoteMessages
from web5.dids.resolver import DidResolver
from web5.dwn.values.types import Message
from web5.ports.clock import Clock
from web5.remote.dwn import RemoteDwn


class Reader:
    """Asks DWNs for what anybody may read.

    Parameters:
        close: releases what the others hold.
    """

    def __init__(
        self, resolver: DidResolver, remote: RemoteDwn, clock: Clock, close: Callable[[], Awaitable[None]]
    ) -> None:
        self._messages = RemoteMessages(resolver, remote)
        self.clock = clock
        self.close = close

    async def ask(self, target: str, message: Message) -> Message:
        """Send an unsigned question to the first remote DWN of `target` that answers.

        Raises:
            DwnError, TargetUnresolved, RemoteError: as for `RemoteMessages.request`.
        """
        return await self._messages.request(target, message)
