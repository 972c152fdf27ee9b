"""`web5.wallet`: apps that ask this identity for a delegation by a link."""

from __future__ import annotations

from datetime import datetime, timedelta

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.agent.delegation.authorize import A_YEAR
from web5.agent.delegation.connect.wallet import ConnectRequest, approve, read_request
from web5.api import arguments
from web5.errors import DelegationError, InvalidArgument


class WalletApi:
    """The wallet's side of the connect flow, in which an app elsewhere asks to act for this identity.

    The app shows a link, or a QR code of it; `read` says what it asks for, and `approve` grants it and gives the PIN
    that the person types into the app. Who refuses does nothing: the app hears nothing, and its time runs out.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._actor = actor

    async def read(self, uri: str) -> ConnectRequest:
        """Fetch the request that a link leads to. It can be fetched once.

        Parameters:
            uri: the link, with `request_uri` and `encryption_key` in it.

        Raises:
            InvalidArgument: it is no such link.
            NotConnected: the request is "gone", or "malformed".
            RemoteError: the relay that it names cannot be reached; https on the public internet can, and others where
                this agent may reach them (`allow_local`).
        """
        return await read_request(self._agent, arguments.text("uri", uri))

    async def approve(self, request: ConnectRequest, *, expires: datetime | timedelta = A_YEAR) -> str:
        """Let the app that asked act for this DID.

        Parameters:
            expires: when the grants end (with a time zone), or after how long; the app can ask for others before.

        Returns:
            The PIN to show: the person types it into the app, which cannot read the answer without it.

        Raises:
            NotConnected: the relay "refused" the answer, perhaps because somebody else has answered; what was granted
                is revoked.
            RemoteError: it cannot be reached; likewise.
            DelegationError: this is a delegate's connection, and who has grants cannot give them away.
            DwnError: a protocol is refused.
        """
        if not isinstance(request, ConnectRequest):
            raise InvalidArgument(f"request={arguments.shown(request)} has to be what `read` gave.")
        if (delegate := self._actor.delegate_did) is not None:
            raise DelegationError(f"{delegate} is a delegate of {self._actor.did}; only the owner can grant.")
        return await approve(self._agent, self._actor.did, request, expires=expires)
