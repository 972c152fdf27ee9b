"""The keys and the messages by which one device takes another along, through a relay that nobody has to trust.

The first device shows a code, with a fresh public key. The second answers with a key of its own; from then on both have
a secret that nobody else has. The first then draws a random text and says it; both make a number of it and the secret.
The person types the number that the second shows into the first, which then gives the agent's keys away.

Invariants:
1. Keys of the agent go out only encrypted for a device whose number the person has typed, once a code, within its time.
2. Whoever sees the code, and even runs the relay, can put himself in the place of the second device before the number
   is drawn, and not make the second show the same: its number is of the secret that it shares with the first. He would
   have to guess one of a million, by way of what the person types.
3. Every step has a key and a name of its own, so that nothing that was said can be said again elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from web5.agent.delegation.connect import relay, wire
from web5.agent.devices.code import KEY_BYTES, DeviceCode
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.kdf import hkdf
from web5.errors import BadReply, CryptoError, NotConnected, NotPaired, NotPairedReason, RemoteError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto, Jwk
from web5.ports.http import Http
from web5.strict_json import parse

SECONDS = 600
"""The time for all of it; relays keep what is left for them so long."""

POLL_SECONDS = 2.0

LONGEST_NAME = 60
"""Characters of a device's name."""

_DIGITS = 6


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """A place at the relay where one message is left, and the key that encrypts it."""

    relay: str
    name: str
    key: bytes

    @staticmethod
    def of(code: DeviceCode, secret: bytes, what: str) -> Step:
        """Return one of the steps of a code; who does not know the secret finds neither."""
        name = hkdf("sha256", secret, salt=code.secret, info=f"web5 device: name of {what}".encode(), length=16)
        key = hkdf("sha256", secret, salt=code.secret, info=f"web5 device: key of {what}".encode())
        return Step(code.relay, b64url_encode(name), key)

    async def leave(self, http: Http, message: dict[str, Any]) -> None:
        """Leave the message.

        Raises:
            NotPaired: "used": somebody was here before; or "refused".
            RemoteError: the relay cannot be reached, or is none.
        """
        sealed = await wire.seal_request(json.dumps(message, separators=(",", ":")), self.key)
        try:
            await relay.answer(http, f"{self.relay}/callback", self.name, sealed)
        except NotConnected as error:
            if "status 409" in str(error):
                raise NotPaired(NotPairedReason.USED, "Somebody else has used this code. Begin anew.") from error
            raise NotPaired(NotPairedReason.REFUSED, f"The node does not pass it on: {error}") from error

    async def take(self, http: Http) -> dict[str, Any] | None:
        """Return the message, which is there no more then, or None if it is not there.

        Raises:
            NotPaired: "malformed".
            RemoteError: the relay cannot be reached, or is none.
        """
        text = await relay.take(http, f"{self.relay}/token/{self.name}.jwt")
        if text is None:
            return None
        try:
            message = parse((await wire.open_request(text.strip(), self.key)).decode())
        except (CryptoError, ValueError) as error:
            raise malformed() from error
        if not isinstance(message, dict):
            raise malformed()
        return message

    async def awaited(self, http: Http, clock: Clock, ends: float) -> dict[str, Any]:
        """Return the message once it is there. A relay that cannot be reached for a while is asked again.

        Raises:
            NotPaired: "unanswered" at the end, or "malformed".
            BadReply: the relay is none.
        """
        while True:
            try:
                if (message := await self.take(http)) is not None:
                    return message
            except BadReply:
                raise
            except RemoteError as error:  # a device may be offline for a moment
                if clock.monotonic() >= ends:
                    raise unanswered() from error
            if clock.monotonic() >= ends:
                raise unanswered()
            await clock.sleep(POLL_SECONDS)


async def agree(crypto: Crypto, code: DeviceCode, private: Jwk, other: bytes, second: bytes) -> bytes:
    """Return the secret that the two devices share.

    Parameters:
        private: the own key.
        other: the public key of the other device.
        second: that of the second device.

    Raises:
        NotPaired: "malformed": the other's is no key.
    """
    try:
        shared = await crypto.shared_secret(private, {"kty": "OKP", "crv": "X25519", "x": b64url_encode(other)})
    except CryptoError as error:
        raise malformed() from error
    return hkdf("sha256", shared, salt=code.secret, info=b"web5 device: " + code.public + second)


def number_of(secret: bytes, drawn: bytes) -> str:
    """Return the number that both devices know."""
    value = int.from_bytes(hkdf("sha256", secret, salt=drawn, info=b"web5 device: number", length=16))
    return f"{value % 10**_DIGITS:0{_DIGITS}d}"


def public_key(jwk: Jwk) -> bytes:
    """Return the 32 bytes of an X25519 key that can be known."""
    return b64url_decode(jwk["x"])


def bytes_of(message: dict[str, Any], name: str, length: int = KEY_BYTES) -> bytes:
    """Return a member of a message.

    Raises:
        NotPaired: "malformed": it is not there, or not so long.
    """
    value = message.get(name)
    try:
        data = b64url_decode(value) if isinstance(value, str) else b""
    except CryptoError as error:
        raise malformed() from error
    if len(data) != length:
        raise malformed()
    return data


def name_of(message: dict[str, Any]) -> str:
    """Return the name of the device that has said something, cut to what can be shown in a line."""
    value = message.get("name")
    return shortened(value) if isinstance(value, str) else ""


def shortened(name: str) -> str:
    """Return a device's name in one line, and not too long."""
    return " ".join(name.split())[:LONGEST_NAME]


def malformed() -> NotPaired:
    """Return the error of a message that the other device cannot have left."""
    return NotPaired(NotPairedReason.MALFORMED, "What came is not from the other device. Begin anew, with a new code.")


def unanswered() -> NotPaired:
    """Return the error of a device that does not answer in time."""
    return NotPaired(
        NotPairedReason.UNANSWERED, "The other device did not answer in time. Begin anew, with a new code."
    )
