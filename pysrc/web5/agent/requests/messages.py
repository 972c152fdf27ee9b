"""Messages to DWNs, where a reply that is no success is raised as an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Protocol, TypeVar

from web5.agent.holdings import Holdings
from web5.agent.requests.replies import check_reply
from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.dwn import compose
from web5.dwn.data import DataSource, DataStream, data_of
from web5.dwn.events import Handler
from web5.dwn.values.types import Message
from web5.errors import (
    BadReply,
    Conflict,
    DidError,
    DwnError,
    NoWebSocket,
    RemoteError,
    TargetUnresolved,
    Unauthorized,
    Unreachable,
)
from web5.patience import BESIDE
from web5.ports.clock import Clock
from web5.remote.dwn import RemoteDwn
from web5.remote.socket import SocketSubscription

T = TypeVar("T")

Reply = dict[str, Any]
Question = Callable[[Clock], Awaitable[Message]]
"""Makes the message that asks, dated by the clock of the node that is asked."""

RACES = 2
"""The number of times that sync may bring something newer while what is to replace it is being made."""


class Processor(Protocol):
    """A DWN of this agent."""

    async def process_message(
        self,
        tenant: str,
        message: Message,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
        /,
    ) -> Reply:
        """Process a message, as `Dwn.process_message` does."""


class RemoteMessages:
    """The DWNs of others."""

    def __init__(self, resolver: DidResolver, remote: RemoteDwn) -> None:
        self._resolver = resolver
        self._remote = remote

    async def request(
        self,
        target: str,
        message: Message,
        data: bytes | DataStream | None = None,
        *,
        on_sent: Callable[[int], None] | None = None,
    ) -> Reply:
        """Send a message to the first remote DWN of `target` that answers.

        Parameters:
            on_sent: as for `RemoteDwn.process_message`.

        Raises:
            DwnError: it answered with something other than success.
            TargetUnresolved: the DID cannot be resolved, so that its DWNs are not known.
            RemoteError: none answered, or the DID names none; BadReply if one answered, but not as a DWN does. Reading
                the data in the reply raises it too, if they are not those that the message names.
        """
        return await self._first_answer(
            target, lambda endpoint: self._request(endpoint, target, message, data, on_sent)
        )

    async def _endpoints(self, target: str) -> list[str]:
        try:
            return list(await dwn_endpoints(self._resolver, target))
        except TargetUnresolved:
            raise
        except DidError as unresolved:
            raise TargetUnresolved(unresolved) from unresolved

    async def _first_answer(
        self, target: str, ask: Callable[[str], Coroutine[Any, Any, Reply]], *, seconds: float | None = None
    ) -> Reply:
        """Return the answer of the first DWN of `target` that gives one.

        Parameters:
            seconds: the time after which the next one is asked beside one that is slow; None: only if that has failed.
        """
        untried = await self._endpoints(target)
        running: set[asyncio.Task[Reply]] = set()
        failures: list[RemoteError] = []
        try:
            while untried or running:
                if untried:
                    running.add(asyncio.create_task(ask(untried.pop(0))))
                timeout = seconds if untried else None
                ended, _ = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                for one in ended:
                    running.discard(one)
                    if not isinstance(error := one.exception(), RemoteError):
                        return one.result()
                    failures.append(error)
        finally:
            await _give_up(running)
        kind = BadReply if any(isinstance(error, BadReply) for error in failures) else Unreachable
        raise kind("; ".join(map(str, failures)) or f"{target} names no DWN in its DID document.")

    async def _request(
        self,
        endpoint: str,
        target: str,
        message: Message,
        data: bytes | DataStream | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> Reply:
        reply = _checked(await self._remote.process_message(endpoint, target, message, data, on_sent=on_sent))
        try:
            check_reply(message, reply)
        except BadReply as error:
            if (stream := data_of(reply)) is not None:
                await stream.close()
            raise BadReply(f"{endpoint}: {error}") from error
        return reply


class Messages(RemoteMessages):
    """The local DWN and the remote ones, for everything but sync."""

    def __init__(self, dwn: Processor, held: Holdings, resolver: DidResolver, remote: RemoteDwn) -> None:
        super().__init__(resolver, remote)
        self._dwn = dwn
        self._held = held

    async def process(
        self,
        tenant: str,
        message: Message,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
    ) -> Reply:
        """Process a message in the local DWN.

        Parameters:
            subscription_handler: called with each event, if the message subscribes.

        Raises:
            DwnError: the kind that fits the reply's status, if that is not a success.
        """
        return _checked(await self._dwn.process_message(tenant, message, data, subscription_handler))

    async def replace(
        self,
        tenant: str,
        make: Callable[[Clock], Awaitable[Message]],
        put: Callable[[Message], Awaitable[object]] | None = None,
    ) -> Message:
        """Process a message that takes the place of what the local DWN has of a record or protocol, and return it.

        It is dated now, or just after what is there: that may come from a device whose clock is ahead, or from this one
        before its clock was put right.

        Parameters:
            make: makes it, dated by the clock that it is given.
            put: processes it, in the way of `process`, if it has data.

        Raises:
            DwnError: as `process`.
            InvalidArgument: what is there is of the last moment that a date can name.
            Whatever `make` and `put` raise.
        """
        put, clock = put or partial(self.process, tenant), self._remote.clocks.clock
        message = await make(clock)
        for _ in range(RACES):
            try:
                await put(message)
                return message
            except Conflict:
                there = await self._held.newest_date(tenant, message)
                if there is None or there < message["descriptor"]["messageTimestamp"]:
                    raise
            message = await make(compose.after(clock, there))
        await put(message)
        return message

    async def ask(self, tenant: str, from_: str | None, question: Question) -> Reply:
        """Ask the local DWN of `tenant`, or for it the first remote one of `from_` that answers if that is given.

        Raises:
            DwnError, RemoteError: as `process` and `request`.
        """
        if from_ is None:
            return await self.process(tenant, await question(self._remote.clocks.clock))

        async def ask(endpoint: str) -> Reply:
            return await self._dated(endpoint, tenant, question, partial(self._request, endpoint, from_))

        return await self._first_answer(from_, ask, seconds=BESIDE)

    async def _dated(
        self, endpoint: str, tenant: str, question: Question, send: Callable[[Message], Awaitable[T]]
    ) -> T:
        """Send a question that is dated by the endpoint's clock, once more if its refusal shows another time."""
        clock = self._remote.clocks.of(endpoint, tenant)
        try:
            return await send(await question(clock))
        except Unauthorized as refusal:
            if not clock.learn(refusal.detail):
                raise
        return await send(await question(clock))

    async def subscribe(
        self, tenant: str, target: str, question: Question, on_event: Callable[[Message], None]
    ) -> SocketSubscription:
        """Subscribe, for `tenant`, at the first remote DWN of `target` that lets it.

        Parameters:
            on_event: called with each event, `{"message": …, "initialWrite": …}`; it must not raise.

        Raises:
            DwnError: it refused.
            TargetUnresolved: the DID cannot be resolved, so that its DWNs are not known.
            RemoteError: none answered, or the DID names none; NoWebSocket if none offers WebSockets.
        """
        failures: list[RemoteError] = []
        for endpoint in await self._endpoints(target):
            subscribe = partial(self._subscribe, on_event, endpoint, target)
            try:
                return await self._dated(endpoint, tenant, question, subscribe)
            except RemoteError as error:
                failures.append(error)
        if failures and all(isinstance(error, NoWebSocket) for error in failures):
            raise failures[0]
        raise Unreachable("; ".join(map(str, failures)) or f"{target} names no DWN in its DID document.")

    async def _subscribe(
        self, on_event: Callable[[Message], None], endpoint: str, target: str, message: Message
    ) -> SocketSubscription:
        subscription = await self._remote.subscribe(endpoint, target, message, on_event)
        _checked(subscription.reply)
        return subscription


async def _give_up(running: Iterable[asyncio.Task[Reply]]) -> None:
    for one in running:
        one.cancel()
    for reply in await asyncio.gather(*running, return_exceptions=True):
        if (stream := data_of(reply)) is not None:
            await stream.close()


def _checked(reply: Reply) -> Reply:
    status = reply["status"]
    if status["code"] >= 300:
        raise DwnError.from_status(status["code"], status["detail"])
    return reply
