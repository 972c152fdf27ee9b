"""The port between a `SharedAgent` and its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from web5.agent.agent import Agent
from web5.agent.shared.guest import Guest
from web5.agent.shared.service import Service
from web5.agent.shared.state import AgentState
from web5.crypto.jose.jws import MessageSigner
from web5.dwn.data import DataSource
from web5.dwn.values.types import Message
from web5.sync.exchange.grants import GrantBook
from web5.sync.states import SendResult
from web5.tasks import TaskSet

P = ParamSpec("P")
T = TypeVar("T")


class Shared(Protocol):
    """As `SharedAgent` has all of it."""

    real: Agent | None
    closed: bool
    background: TaskSet

    @property
    def guest(self) -> Guest: ...
    @property
    def grants(self) -> GrantBook: ...
    @property
    def state(self) -> AgentState: ...
    @property
    def subscriptions(self) -> dict[str, Reopened]: ...
    async def refresh(self) -> None: ...
    async def as_node(self) -> Agent: ...
    async def signer(self, did: str) -> MessageSigner: ...
    async def do(
        self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T: ...
    async def change(
        self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T: ...
    async def send_messages(
        self, author: str, target: str, messages: Sequence[tuple[Message, DataSource | None]]
    ) -> list[SendResult]: ...


class Reopened(Protocol):
    """A subscription that goes from node to node."""

    async def open_again(self) -> None:
        """Subscribe at another node."""

    def told(self, seq: int, event: Message | None) -> None:
        """Take what the node tells of it."""
