"""The second device's side: it reads the code, shows the number, and takes the agent in."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from web5.agent.agent import Agent
from web5.agent.devices import pairing
from web5.agent.devices.code import DeviceCode
from web5.agent.devices.pairing import Step
from web5.agent.recovery import published, take_in
from web5.agent.vault.secrets import VaultSecrets
from web5.agent.vault.wrapping import check_new_password
from web5.crypto.encoding import b64url_encode
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dids.uri import parse_did
from web5.errors import CryptoError, DidError, NotPaired, NotPairedReason, RecoveryError, VaultLocked
from web5.ports.http import Http
from web5.settings import Progress, ignore_progress
from web5.urls import same_endpoint


class DeviceJoining:
    """A device that another one takes along.

    Attributes:
        number: to be shown; the person types it into the other device.
        name: how the other device calls itself.
    """

    def __init__(self, agent: Agent, http: Http, answer: Step, number: str, name: str, ends: float) -> None:
        self.number = number
        self.name = name
        self._agent = agent
        self._http = http
        self._answer = answer
        self._ends = ends
        self._given: tuple[VaultSecrets, str | None] | None = None

    async def let_in(self) -> None:
        """Return once the person has let this device in there; `finish` waits for it too. It can be cancelled.

        Raises:
            NotPaired: "refused" by the person, "unanswered", "malformed", or "already": the agent is here.
            RemoteError: the relay is none.
        """
        if self._given is not None:
            return
        agent = self._agent
        given = await self._answer.awaited(self._http, agent.clock, self._ends)
        if given.get("refused"):
            raise NotPaired(NotPairedReason.REFUSED, "The other device did not let this one in.")
        secrets = await _secrets(agent, given)
        if secrets.did == agent.vault.agent_did:
            raise NotPaired(NotPairedReason.ALREADY, "This device has everything already that the other one has.")
        chosen = given.get("identity")
        self._given = secrets, chosen if isinstance(chosen, str) else None

    async def finish(self, password: str | None = None, on_progress: Progress = ignore_progress) -> None:
        """Wait for the agent, and take it in: its DID, its identities with their keys, and all their records.

        What is on this device already moves into it, as `recover` says.

        Parameters:
            password: what the vault is to be unlocked with here; None: this device's key alone.
            on_progress: called with (step, done, total) as in `recover`.

        Raises:
            NotPaired, RemoteError: as `let_in`.
            RecoveryError: the agent's nodes cannot be read now. Nothing is changed; it can be called again.
            VaultLocked: another agent was locked here meanwhile.
            InvalidArgument: the password is too short.
        """
        check_new_password(password)
        await self.let_in()
        assert self._given is not None
        secrets, chosen = self._given
        if self._agent.vault.state == "locked":
            raise VaultLocked("The vault was locked meanwhile. Unlock it, and begin anew.")
        with suppress(DidError, RecoveryError):  # else as the other device has it
            secrets = replace(secrets, portable_did=await published(self._agent, secrets.portable_did))
        await take_in(self._agent, secrets, password, on_progress, chosen=chosen)


async def join(agent: Agent, text: str, name: str, known: Collection[str] = ()) -> DeviceJoining:
    """Answer the device whose code this is, and return once there is a number to show.

    Parameters:
        text: the code, or a link that ends with it.
        name: how the other device is to call this one.
        known: URLs of nodes that this device knows, and need not be guarded against as those that a code names.

    Raises:
        InvalidArgument: there is no code in it.
        VaultLocked: another agent is locked here, and what it has could not move.
        NotPaired: "used": the code was used, or its time is over; "unanswered", "malformed", "refused".
        RemoteError: the relay cannot be reached, or is none.
    """
    code = DeviceCode.parse(text)
    if agent.vault.state == "locked":
        raise VaultLocked("What is on this device would be lost, since it is locked. Unlock it first.")
    own = {f"{same_endpoint(url)}/connect" for url in known}
    http, ends = agent.http if code.relay in own else agent.guarded, agent.clock.monotonic() + pairing.SECONDS
    if await Step.of(code, code.public, "invitation").take(http) is None:
        raise NotPaired(
            NotPairedReason.USED,
            "This code was used already, or its time is over. Have the other device show a new one.",
        )
    private = await agent.crypto.generate_key("X25519")
    second = pairing.public_key(private)
    request = {"publicKey": b64url_encode(second), "name": pairing.shortened(name)}
    await Step.of(code, code.public, "request").leave(http, request)
    secret = await pairing.agree(agent.crypto, code, private, code.public, second)
    hello = await Step.of(code, secret, "hello").awaited(http, agent.clock, ends)
    number = pairing.number_of(secret, pairing.bytes_of(hello, "drawn", 16))
    return DeviceJoining(agent, http, Step.of(code, secret, "answer"), number, pairing.name_of(hello), ends)


async def _secrets(agent: Agent, given: dict[str, Any]) -> VaultSecrets:
    content_key = pairing.bytes_of(given, "contentKey")
    try:
        portable = PortableDid.from_wire(given.get("portableDid"))
        did = parse_did(portable.uri)
        if did is None or did.method != "dht" or portable.document.id != portable.uri:
            raise pairing.malformed()
        await signer_for(portable, agent.crypto)
    except (CryptoError, DidError) as error:
        raise pairing.malformed() from error
    # The salt belongs to the first password of the vault where it was made, and to no other.
    return VaultSecrets(content_key, os.urandom(32), portable, agent.crypto)
