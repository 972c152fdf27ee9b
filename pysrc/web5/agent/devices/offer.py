"""The first device's side: it shows the code, hears who has read it, and gives the keys away to the right one."""

from __future__ import annotations

import hmac
import os
from contextlib import suppress

from web5.agent.agent import Agent
from web5.agent.devices import pairing
from web5.agent.devices.code import SECRET_BYTES, DeviceCode
from web5.agent.devices.pairing import Step
from web5.crypto.encoding import b64url_encode
from web5.errors import NotPaired, NotPairedReason, RemoteError, Web5Error
from web5.ports.crypto import Jwk

MOST_TRIES = 3
"""Numbers that may be typed for one code."""

_DRAWN_BYTES = 16


class DeviceOffer:
    """An offer to take another device along; it is of use once, within ten minutes, on the device that made it.

    Attributes:
        code: the text to show, as it is or as a QR code. Whoever sees it gets nothing without the number.
    """

    def __init__(self, agent: Agent, code: DeviceCode, private: Jwk, name: str) -> None:
        self.code = str(code)
        self._agent = agent
        self._code = code
        self._private = private
        self._name = name
        self._ends = agent.clock.monotonic() + pairing.SECONDS
        self._secret: bytes | None = None
        self._number = ""
        self._tries = 0
        self._over = False

    @property
    def seconds(self) -> int:
        """The seconds that are left; 0 once it is over."""
        return 0 if self._over else max(0, round(self._ends - self._agent.clock.monotonic()))

    async def requested(self) -> str:
        """Return once another device has read the code: the name that it gives itself, which nobody has checked.

        Raises:
            NotPaired: "unanswered" when the time is over; "malformed": somebody else has the code; "over".
            RemoteError: the relay is none.
        """
        self._check_open()
        try:
            asked = Step.of(self._code, self._code.public, "request")
            request = await asked.awaited(self._agent.http, self._agent.clock, self._ends)
            second = pairing.bytes_of(request, "publicKey")
            secret = await pairing.agree(self._agent.crypto, self._code, self._private, second, second)
            drawn = os.urandom(_DRAWN_BYTES)
            hello = {"drawn": b64url_encode(drawn), "name": self._name}
            await Step.of(self._code, secret, "hello").leave(self._agent.http, hello)
        except Web5Error:
            self._over = True
            raise
        self._secret, self._number = secret, pairing.number_of(secret, drawn)
        return pairing.name_of(request)

    async def approve(self, number: str) -> None:
        """Give the agent's keys to the device that shows this number. It has everything then that this one has.

        Parameters:
            number: as the person reads it from the other device; what is no digit does not count.

        Raises:
            NotPaired: "wrong_number", and after the third one all is over; or "over".
            VaultLocked: it was locked meanwhile.
            RemoteError: the relay cannot be reached; it can be tried again.
        """
        self._check_open()
        if self._secret is None:
            raise NotPaired(NotPairedReason.UNANSWERED, "No other device has read the code yet.")
        typed = "".join(char for char in number if char in "0123456789")
        if not hmac.compare_digest(typed.encode(), self._number.encode()):
            self._tries += 1
            if self._tries >= MOST_TRIES:
                await self.refuse()
            raise NotPaired(
                NotPairedReason.WRONG_NUMBER,
                "That is not the number. "
                + ("Begin anew, with a new code." if self._over else "Look at the other device, and type it again."),
            )
        agent = self._agent
        secrets = await agent.vault.secrets()
        current = await agent.keyring.portable_did(secrets.did)
        chosen = agent.identities.chosen()
        await agent.sync.now("push", secrets.did)  # the other device fetches the identities from the nodes
        given = {
            "contentKey": b64url_encode(secrets.content_key),
            "portableDid": current.to_wire(),
            "identity": None if chosen is None else chosen.did,
        }
        await Step.of(self._code, self._secret, "answer").leave(agent.http, given)
        self._end()

    async def refuse(self) -> None:
        """Give nothing, and let the code be of no use any more; safe to call twice."""
        secret, over = self._secret, self._over
        self._end()
        if secret is not None and not over:
            with suppress(Web5Error):  # its time runs out all the same
                await Step.of(self._code, secret, "answer").leave(self._agent.http, {"refused": True})

    def _end(self) -> None:
        self._over, self._secret, self._number = True, None, ""

    def _check_open(self) -> None:
        if not self._over and self._agent.clock.monotonic() >= self._ends:
            self._end()
        if self._over:
            raise NotPaired(NotPairedReason.OVER, "This code is of no use any more: it was used, or its time is over.")


async def offer(agent: Agent, name: str) -> DeviceOffer:
    """Make a code, and tell one of the agent's nodes, which then passes on what the two devices say.

    Parameters:
        name: how the other device is to call this one.

    Raises:
        VaultLocked: the vault is locked.
        NotPaired: "no_node": the agent has none, or none of them passes anything on.
    """
    private = await agent.crypto.generate_key("X25519")
    troubles = []
    for endpoint in await agent.dwn_endpoints(agent.vault.agent_did or ""):
        code = DeviceCode(f"{endpoint.rstrip('/')}/connect", pairing.public_key(private), os.urandom(SECRET_BYTES))
        try:
            await Step.of(code, code.public, "invitation").leave(agent.http, {"name": pairing.shortened(name)})
        except (RemoteError, NotPaired) as error:
            troubles.append(f"{endpoint}: {error}")
        else:
            return DeviceOffer(agent, code, private, pairing.shortened(name))
    raise NotPaired(
        NotPairedReason.NO_NODE,
        "It takes a node that passes on what two devices say, and "
        + (f"none of yours does now ({'; '.join(troubles)})." if troubles else "you have none. Add one first."),
    )
