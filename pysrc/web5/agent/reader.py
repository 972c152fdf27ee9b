"""Questions of somebody who has no DID to the remote DWNs of others; nothing is signed, stored or synced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from web5.agent.replies import check_reply
from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.dwn.types import Message
from web5.errors import BadReply, DidError, DwnError, RemoteError, TargetUnresolved, Unreachable
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
        self._resolver = resolver
        self._remote = remote
        self.clock = clock
        self.close = close

    async def ask(self, target: str, message: Message) -> Message:
        """Send an unsigned question to the first remote DWN of `target` that answers.

        Raises:
            DwnError: it answered with something other than success.
            TargetUnresolved: the DID cannot be resolved.
            RemoteError: none answered, or the DID names none.
        """
        try:
            endpoints = await dwn_endpoints(self._resolver, target)
        except DidError as unresolved:
            raise TargetUnresolved(unresolved) from unresolved
        failures: list[RemoteError] = []
        for endpoint in endpoints:
            try:
                reply = await self._remote.process_message(endpoint, target, message)
                status = reply["status"]
                if status["code"] >= 300:
                    raise DwnError.from_status(status["code"], status["detail"])
                check_reply(message, reply)
                return reply
            except RemoteError as error:
                failures.append(error)
        kind = BadReply if any(isinstance(error, BadReply) for error in failures) else Unreachable
        raise kind("; ".join(map(str, failures)) or f"{target} names no DWN in its DID document.")
